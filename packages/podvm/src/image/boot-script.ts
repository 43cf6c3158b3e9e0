/**
 * `/init` of the initrd, run by the kernel: loads the modules beside it in the order of their names, and becomes the system
 * in `/system` with a writable layer above it. A container's runtime cannot change its root on the initrd's own
 * file system, and the layer keeps what is written apart from the image.
 */
export const bootScript = `#!/system/usr/bin/busybox sh
set -eu
PATH=/system/usr/bin
# Other programs of the system do not find their libraries from here.
mount() { busybox mount "$@"; }
umount() { busybox umount "$@"; }
mkdir -p /proc /root-layer /root
mount -t proc proc /proc
for module in /modules/*.ko; do
  insmod "$module" || echo "boot: \${module##*/} cannot be loaded" >/dev/kmsg
done
mount -t tmpfs -o mode=755 tmpfs /root-layer
mkdir /root-layer/upper /root-layer/work
mount -t overlay -o lowerdir=/system,upperdir=/root-layer/upper,workdir=/root-layer/work root /root
umount /proc
cd /root
mount --move . /
exec chroot . /usr/lib/peerpods/init </dev/console >/dev/console 2>&1
`;
