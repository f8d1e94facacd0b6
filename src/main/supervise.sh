#!/bin/sh
# Keeps one process of a cluster running: starts it again with back-off when it ends unexpectedly.
# Usage: supervise.sh RUN_DIR NAME LOG COMMAND...
# RUN_DIR/NAME.supervisor.pid and RUN_DIR/NAME.pid hold the process ids. SIGTERM ends both. A child
# that ends with 78 (EX_CONFIG) cannot be helped by starting it again: the reason is in its log.
run=$1
name=$2
log=$3
shift 3
child=
stopping=
delay=0

stop() {
  stopping=1
  [ -n "$child" ] && kill -TERM "$child" 2>/dev/null
}
trap stop TERM INT
trap '' HUP
mkdir -p "$run"
echo $$ >"$run/$name.supervisor.pid"

while [ -z "$stopping" ]; do
  started=$(date +%s)
  "$@" >>"$log" 2>&1 </dev/null &
  child=$!
  echo "$child" >"$run/$name.pid.new" && mv -f "$run/$name.pid.new" "$run/$name.pid"
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
  [ -n "$stopping" ] && break
  echo "{\"level\":\"warn\",\"message\":\"$name ended with code $code\"}" >>"$log"
  [ "$code" = 78 ] && break
  [ $(($(date +%s) - started)) -ge 10 ] && delay=0
  if [ "$delay" != 0 ]; then
    sleep "$delay" &
    wait $!
  fi
  if [ "$delay" = 0 ]; then delay=1; elif [ "$delay" -lt 10 ]; then delay=$((delay * 2)); fi
done
rm -f "$run/$name.pid" "$run/$name.supervisor.pid"
