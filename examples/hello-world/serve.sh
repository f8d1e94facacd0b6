#!/bin/sh
# A web server that ends well: at SIGTERM it takes no new connection and finishes those it has.
# httpd answers each connection in a process of its own, so ending the listener leaves them be.
pages=/tmp/www
mkdir -p $pages
echo "Hello, world! This is $(hostname), version ${VERSION:-unknown}." >$pages/index.html
echo ok >$pages/healthz

busybox httpd -f -p "${PORT0:-9001}" -h $pages &
listener=$!

# Connections under way; the bracket keeps grep from finding itself.
others() {
  busybox grep -q 'http[d]' /proc/[0-9]*/cmdline 2>/dev/null
}

finish() {
  kill $listener
  turns=0
  while others && [ $turns -lt 400 ]; do
    sleep 0.05
    turns=$((turns + 1))
  done
  exit 0
}
trap finish TERM INT
while kill -0 $listener 2>/dev/null; do wait $listener; done
exit 1
