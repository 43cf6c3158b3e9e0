/**
 * PID 1 of a pod VM: mounts what a system has, gets an address by DHCP, turns the cloud-init volume into files, starts agent
 * and forwarder, and reaps. When one of them ends, the VM is switched off.
 *
 * Its own lines go to the console. Each program has a log in /var/log/peerpods; its end goes to the console when the program
 * fails.
 */
export const initScript = `#!/bin/sh
set -u
export PATH=/usr/bin HOME=/root LC_ALL=C.UTF-8
# Programs that are not busybox's own go by their path: its shell prefers what it has built in.
programs=/usr/lib/peerpods
logs=/var/log/peerpods
agent_socket=/run/kata-containers/agent.sock

say() { read -r up rest </proc/uptime; echo "[$up] init: $*"; }
stop() { say "$*"; sync; poweroff -f; }
# failed NAME: the end of its log, and off
failed() { tail -n 5 "$logs/$1.log" 2>/dev/null; stop "$1 has failed"; }

# start NAME COMMAND...: in the background, log in a file of its own; $! is its supervisor
start() {
  name=$1; shift
  say "starting $name"
  ( "$@" >>"$logs/$name.log" 2>&1
    code=$?
    say "$name ended with code $code"
    [ $code = 0 ] || tail -n 5 "$logs/$name.log"
    # The agent leaves after DestroySandbox; its last answer may still be on the way through the forwarder.
    sleep 1
    stop "power off: the pod has ended" ) &
}

# await SECONDS WHAT TEST...: until the test holds
await() {
  left=$(( $1 * 20 )); what=$2; shift 2
  until "$@"; do
    [ $left -gt 0 ] || stop "$what: not there in time"
    left=$((left - 1))
    sleep 0.05
  done
}

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o mode=755,nosuid dev /dev
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666,nosuid,noexec devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /tmp
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
for fd in "fd /proc/self/fd" "stdin /proc/self/fd/0" "stdout /proc/self/fd/1" "stderr /proc/self/fd/2"; do
  ln -sf \${fd#* } /dev/\${fd%% *}
done
mkdir -p /run/netns /run/peerpod /run/kata-containers
/usr/bin/ip link set lo up
: >/run/netns/podns
unshare --net=/run/netns/podns /usr/bin/ip link set lo up || stop 'cannot make the network namespace podns'

# Node takes its time to start, so the agent starts while there is no network yet.
start dev-agent node $programs/dev-agent.mjs -image-root /usr/share/peerpod-images

# The first interface with a real device below it.
network_device() { for path in /sys/class/net/*/device; do [ -e "$path" ] && device=\${path%/device} && device=\${device##*/} && return; done; return 1; }
await 60 'network device' network_device
/usr/bin/ip link set "$device" up
start udhcpc udhcpc -f -i "$device" -t 5 -T 2 -A 1 -s $programs/lease

# On a volume labelled cidata. Clouds that have a metadata service instead bring none.
cidata=$(findfs LABEL=cidata 2>/dev/null) && mount -t iso9660 -o ro,nodev,nosuid,noexec "$cidata" /media/cidata
if [ -e /media/cidata/meta-data ]; then
  hostname "$(sed -n 's/^local-hostname: *//p' /media/cidata/meta-data)"
else
  await 60 'address' test -e /run/lease
fi
say "$(hostname) is up"
node $programs/process-user-data.mjs provision-files >>$logs/process-user-data.log 2>&1 || failed process-user-data
umount /media/cidata 2>/dev/null

await 60 "$agent_socket" test -S $agent_socket
await 60 'address' test -e /run/lease
start agent-protocol-forwarder node $programs/agent-protocol-forwarder.mjs -listen 0.0.0.0:15150 \\
  -kata-agent-socket $agent_socket -pod-namespace /run/netns/podns

# Waiting is also what reaps orphans.
while :; do wait; sleep 1; done
`;

/** What udhcpc runs when it got, renewed or lost an address. */
export const leaseScript = `#!/bin/sh
case $1 in
  bound | renew)
    /usr/bin/ip address replace "$ip/\${mask:-24}" dev "$interface"
    [ -z "\${router:-}" ] || /usr/bin/ip route replace default via "\${router%% *}" dev "$interface"
    : >/etc/resolv.conf
    for server in \${dns:-}; do echo "nameserver $server" >>/etc/resolv.conf; done
    echo "$ip" >/run/lease
    ;;
  deconfig) /usr/bin/ip address flush dev "$interface" ;;
esac
`;
