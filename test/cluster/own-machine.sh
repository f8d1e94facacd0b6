#!/bin/sh
# Runs a command on what looks like a machine of its own: network, mounts, processes, /run and the
# state of clusters are private, so that nothing else on this machine is seen or disturbed.
# Usage: own-machine.sh COMMAND...
if [ "${TANDEM_OWN_MACHINE:-}" != 1 ]; then
  TANDEM_OWN_MACHINE=1 exec unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private "$0" "$@"
fi
set -e
# What others have mounted below comes and goes behind our back.
for point in $(cut -d' ' -f5 /proc/self/mountinfo | grep -E '^/(run|tmp|var/lib|dev/shm)/' | sort -r); do
  umount -l "$point" 2>/dev/null || true
done
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /var/lib
ip link set lo up
# Addresses are there at once, not after a second of asking around.
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
ip link add uplink type veth peer name outside
ip link set outside up
ip addr add 192.0.2.2/24 dev uplink
ip link set uplink up
ip route add default via 192.0.2.1
"$@"
