/** Modules of Debian's cloud kernel that the guest needs, in the order in which they load. */
export const guestModules = [
  "crc32c-intel",
  "virtio_ring",
  "virtio",
  "virtio_pci_legacy_dev",
  "virtio_pci_modern_dev",
  "virtio_pci",
  "virtio_blk",
  "failover",
  "net_failover",
  "virtio_net",
  "cdrom",
  "isofs",
] as const;

/**
 * PID 1 of the test guest: an address by DHCP, then, where Node is there, the user data from the cloud-init disk and a
 * server on port 15150 that tells what the guest has read.
 */
export const guestInit = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /bin /media/cidata /etc
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in ${guestModules.join(" ")}; do insmod /modules/$module.ko 2>/dev/null; done
ip link set lo up
ip link set eth0 up
printf '#!/bin/sh\\n[ "$1" = bound ] && ip address add $ip/$mask dev eth0 && ip route add default via $router\\nexit 0\\n' >/etc/lease
chmod +x /etc/lease
tries=0
until udhcpc -i eth0 -n -q -t 5 -T 1 -s /etc/lease; do
  tries=$((tries + 1))
  [ $tries -lt 20 ] || poweroff -f
done
if [ -x /usr/bin/node ]; then
  mount -t iso9660 -o ro /dev/vdb /media/cidata
  /usr/bin/node /usr/lib/peerpods/process-user-data.mjs provision-files >/dev/console 2>&1
  # The files it has written are the answer: what came through the cloud-init disk, read by the real guest program.
  exec /usr/bin/node /usr/lib/peerpods/report.mjs
fi
exec sleep 1000000
`;

/** Server of the test guest: GET /PATH gives the file of that path, or 404. */
export const guestReport = `import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
createServer(async (request, response) => {
  try {
    response.end(await readFile(decodeURIComponent(request.url)));
  } catch {
    response.writeHead(404).end();
  }
}).listen(15150, "0.0.0.0");
`;
