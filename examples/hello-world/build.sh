#!/bin/sh
# Builds the demo image as a docker archive, without a network and without a container engine.
#
# Usage: build.sh [FILE]       FILE is hello-world.tar by default; "-" writes to standard output.
#   VERSION=2     what the page says, and the tag if IMAGE is not given
#   IMAGE=name    the image's name, hello-world:latest by default
#   BUSYBOX=path  a statically linked busybox (Debian: apt-get install busybox-static)
#
# Then: ./tandem image load hello-world.tar
set -eu

version=${VERSION:-1}
image=${IMAGE:-hello-world:latest}
out=${1:-hello-world.tar}
here=$(cd "$(dirname "$0")" && pwd)

busybox=${BUSYBOX:-$(command -v busybox || true)}
if [ -z "$busybox" ] || ! "$busybox" httpd --help >/dev/null 2>&1; then
  echo "build.sh: a busybox with httpd is needed: apt-get install busybox-static" >&2
  exit 1
fi
case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
case $version in
  *[!A-Za-z0-9._-]*) echo "build.sh: VERSION may hold letters, digits, dots, dashes" >&2; exit 1 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/bin" "$root/www" "$root/etc" "$root/tmp" "$root/proc" "$root/dev" "$root/sys"
chmod 1777 "$root/tmp"
cp "$busybox" "$root/bin/busybox"
for applet in sh sleep hostname kill cat ls wget; do ln -s busybox "$root/bin/$applet"; done
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
cp "$here/serve.sh" "$root/bin/serve"
chmod 755 "$root/bin/serve" "$root/bin/busybox"
echo "$version" >"$root/etc/version"

# Equal input gives equal bytes, so an unchanged image keeps its id.
pack() {
  tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$2" .
}
mkdir "$work/image"
pack "$root" "$work/image/layer.tar"
diff_id=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
cat >"$work/image/config.json" <<JSON
{"architecture":"$architecture","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["PATH=/bin","VERSION=$version"],"Entrypoint":["/bin/serve"],"ExposedPorts":{"9001/tcp":{}},"StopSignal":"SIGTERM"},"rootfs":{"type":"layers","diff_ids":["sha256:$diff_id"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"build.sh"}]}
JSON
cat >"$work/image/manifest.json" <<JSON
[{"Config":"config.json","RepoTags":["$image"],"Layers":["layer.tar"]}]
JSON
if [ "$out" = - ]; then
  pack "$work/image" "$work/out.tar"
  cat "$work/out.tar"
else
  pack "$work/image" "$out"
  echo "$out: $image, version $version" >&2
fi
