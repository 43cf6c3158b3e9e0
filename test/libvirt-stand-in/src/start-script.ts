/**
 * First program of the namespaces that a libvirtd of a test lives in. `$1` is the test's directory, `$2` and `$3` the
 * addresses of its side of the cable and of the machine's.
 *
 * libvirtd's directories are fixed when it is compiled, so the test's are mounted over them; so are the lists of users,
 * which have to name the user that the Debian build looks up before it reads any setting. `/dev/kvm` is covered: where
 * it exists but does not work, libvirt probes it for seconds each time.
 */
export const startScript = `set -eu
dir=$1
for name in etc lib run cache log; do mkdir -p "$dir/$name"; done
for pair in etc:/etc/libvirt lib:/var/lib/libvirt run:/run/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
  mkdir -p "\${pair#*:}"
  mount --bind "$dir/\${pair%%:*}" "\${pair#*:}"
done
cat /etc/passwd >"$dir/passwd"
cat /etc/group >"$dir/group"
for name in libvirt-qemu libvirt-dnsmasq; do
  grep -q "^$name:" "$dir/passwd" || echo "$name:x:64055:64055:x:/:/usr/sbin/nologin" >>"$dir/passwd"
  grep -q "^$name:" "$dir/group" || echo "$name:x:64055:" >>"$dir/group"
done
mount --bind "$dir/passwd" /etc/passwd
mount --bind "$dir/group" /etc/group
if [ -e /dev/kvm ]; then
  : >"$dir/nokvm"
  mount --bind "$dir/nokvm" /dev/kvm
fi
ip link set lo up
# The cable is plugged in from outside, as soon as these namespaces are there.
tries=0
until ip link show up0 >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { echo "no cable after 30 s" >&2; exit 1; }
  sleep 0.05
done
ip address add "$2/30" dev up0
ip link set up0 up
ip route add default via "$3"
echo 1 >/proc/sys/net/ipv4/ip_forward
exec libvirtd --pid-file "$dir/libvirtd.pid"
`;

/** QEMU as root without a sandbox of libvirt's: the namespaces around are the sandbox. */
export const qemuConf = `namespaces = []
user = "root"
group = "root"
cgroup_controllers = []
stdio_handler = "file"
security_driver = "none"
`;

export const libvirtdConf = `auth_unix_rw = "none"
`;
