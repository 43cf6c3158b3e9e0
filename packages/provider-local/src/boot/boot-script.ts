/**
 * First script of a pod VM, run by the image's busybox as PID 1 of the new namespaces while this machine's root is
 * still visible. Makes the VM's own root from the environment below and becomes `/usr/lib/peerpods/init` in it.
 *
 * Descriptor 3 reports to the caller: `started <line of /proc/self/stat>`, later `booted` (by init).
 * Standard input answers with `placed` when the VM's processes are in their final cgroup, and with `connected` when
 * there is an `eth0`. If it ends instead, the caller has died and so does the VM.
 *
 * PEERPOD_LOWER, _UPPER, _WORK, _ROOT   directories of the overlay; PEERPOD_UPPER empty = writable layer in memory
 * PEERPOD_CIDATA, _LOGS, _IMAGES        directories of this machine to show in the VM; _IMAGES may be empty
 * PEERPOD_CGROUPS                       `v2`, or per v1 hierarchy `<directory>:<mount options>`
 * PEERPOD_NAME                          host name
 */
export const bootScript = `#!/bin/sh
set -eu
umask 022
read -r stat </proc/self/stat
echo "started $stat" >&3
expect() { read -r answer && [ "$answer" = "$1" ] || exit 1; }
# No process may be forked before: it would be left in a cgroup that must be empty by then.
expect placed

hostname "$PEERPOD_NAME"

if [ -z "$PEERPOD_UPPER" ]; then
  mount -t tmpfs -o mode=755 tmpfs "$PEERPOD_WORK"
  mkdir "$PEERPOD_WORK/upper" "$PEERPOD_WORK/work"
  PEERPOD_UPPER=$PEERPOD_WORK/upper PEERPOD_WORK=$PEERPOD_WORK/work
fi
mount -t overlay -o "lowerdir=$PEERPOD_LOWER,upperdir=$PEERPOD_UPPER,workdir=$PEERPOD_WORK" podvm "$PEERPOD_ROOT"
cd "$PEERPOD_ROOT"

mount -t proc -o nosuid,nodev,noexec proc proc
# Read-only: in there are switches of the whole machine.
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=755,nosuid tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp

mount -t tmpfs -o mode=755,nosuid,noexec tmpfs dev
mkdir dev/pts dev/shm dev/mqueue
terminals=newinstance,ptmxmode=0666,mode=0620,nosuid,noexec
# Where users other than root do not exist (a user namespace of one), neither does the group of terminals.
mount -t devpts -o $terminals,gid=5 devpts dev/pts 2>/dev/null || mount -t devpts -o $terminals devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t mqueue -o nosuid,nodev,noexec mqueue dev/mqueue
for device in null zero full random urandom tty; do
  : >dev/$device
  mount --bind /dev/$device dev/$device
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

if [ "$PEERPOD_CGROUPS" = v2 ]; then
  mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755,nosuid,nodev,noexec tmpfs sys/fs/cgroup
  for entry in $PEERPOD_CGROUPS; do
    directory=\${entry%%:*}
    mkdir "sys/fs/cgroup/$directory"
    mount -t cgroup -o "nosuid,nodev,noexec,\${entry#*:}" cgroup "sys/fs/cgroup/$directory"
    # cpu and cpuacct together are known by each name.
    case $directory in
      *,*) for name in $(echo "$directory" | tr , ' '); do ln -s "$directory" "sys/fs/cgroup/$name"; done ;;
    esac
  done
fi

show() {
  mkdir -p "$2"
  mount --bind "$1" "$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$2"
}
show "$PEERPOD_CIDATA" media/cidata ro
show "$PEERPOD_LOGS" var/log/peerpods rw
[ -z "$PEERPOD_IMAGES" ] || show "$PEERPOD_IMAGES" run/peerpod-images ro

expect connected

mkdir run/old-root
pivot_root . run/old-root
cd /
umount -l run/old-root
rmdir run/old-root
exec /usr/lib/peerpods/init </dev/null
`;
