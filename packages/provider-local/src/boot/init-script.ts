/**
 * PID 1 of a pod VM. Sets up the network and the pod's namespace, reports `booted` on descriptor 3, starts the guest
 * programs in order and reaps. When the agent or the forwarder ends, it ends, and with it everything in the VM.
 * Each program writes to a log of its own in /var/log/peerpods; standard output is the console.
 *
 * PEERPOD_ADDRESS   address with prefix length of eth0
 * PEERPOD_GATEWAY   next hop of the default route
 * PEERPOD_AGENT     `dev-agent` or `kata-agent`
 */
export const initScript = `#!/bin/sh
set -u
export PATH=/usr/bin HOME=/root LC_ALL=C.UTF-8
# Programs that are not busybox's own go by their path: its shell prefers what it has built in.
programs=/usr/lib/peerpods
logs=/var/log/peerpods
agent_socket=/run/kata-containers/agent.sock
hub_socket=/run/confidential-containers/cdh.sock

say() { read -r up rest </proc/uptime; echo "[$up] init: $*"; }
stop() { say "$*"; exit 1; }

# start NAME COMMAND...: in the background, log in a file of its own; $! is its supervisor
start() {
  name=$1; shift
  say "starting $name"
  ( "$@" >>"$logs/$name.log" 2>&1
    say "$name ended with code $?"
    [ "$name" != "$PEERPOD_AGENT" ] || power_off ) &
}

# The agent leaves after DestroySandbox; its last answer may still be on the way through the forwarder. Asks PID 1
# again and again, because a signal that comes just before wait begins does not end it.
power_off() {
  sleep 0.5
  while kill -USR1 1; do sleep 0.2; done
}

# await_socket PATH PID: until the program has made its socket
await_socket() {
  tries=0
  until [ -S "$1" ]; do
    kill -0 "$2" 2>/dev/null || stop "$1: the program that makes it has ended"
    [ $tries -lt 3000 ] || stop "$1: not there after 30 seconds"
    tries=$((tries + 1))
    sleep 0.01
  done
}

printf '%s\\n' 'link set lo up' "address add $PEERPOD_ADDRESS brd + dev eth0" 'link set eth0 up' \\
  "route add default via $PEERPOD_GATEWAY" | /usr/bin/ip -batch - || stop 'cannot set up eth0'

mkdir -p /run/netns /run/peerpod /run/kata-containers /run/confidential-containers
: >/run/netns/podns
unshare --net=/run/netns/podns /usr/bin/ip link set lo up || stop 'cannot make the network namespace podns'

echo booted >&3 || stop 'the caller has gone'
exec 3>&-
say "$(hostname) is up, address $PEERPOD_ADDRESS"

node $programs/process-user-data.mjs provision-files >>$logs/process-user-data.log 2>&1 ||
  stop 'process-user-data failed; see process-user-data.log'

trap 'stop "power off: the pod has ended"' USR1
if [ "$PEERPOD_AGENT" = kata-agent ]; then
  start image-pull-stand-in node $programs/image-pull-stand-in.mjs
  await_socket $hub_socket $!
  start kata-agent kata-agent --config /etc/agent-config.toml
else
  start dev-agent node $programs/dev-agent.mjs -image-root /run/peerpod-images
fi
await_socket $agent_socket $!

start agent-protocol-forwarder node $programs/agent-protocol-forwarder.mjs -listen 0.0.0.0:15150 \\
  -kata-agent-socket $agent_socket -pod-namespace /run/netns/podns

# Waiting is also what reaps orphans.
wait $!
stop 'power off: agent-protocol-forwarder has ended'
`;
