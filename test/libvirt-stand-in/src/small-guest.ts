import { createHash } from "node:crypto";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce } from "@peerpods/test-harness";
import {
  kernelPackageOf,
  moduleFiles,
  packInitrd,
  runUntil,
  unpackKernel,
  writeBootFiles,
} from "@peerpods/podvm/image";
import { execa } from "execa";

/** Files of a guest that only asks for an address: 3 s with emulation, 64 MiB of memory are enough. */
export interface SmallGuest {
  readonly kernel: string;
  readonly initrd: string;
}

/** Debian's package of the kernel that guests run. */
export const guestKernel = "linux-image-cloud-amd64";
const BUILD_TIMEOUT_MS = 300_000;

const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /etc
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module"; done
ip link set lo up
ip link set eth0 up
printf '#!/bin/sh\\n[ "$1" = bound ] && ip address add $ip/$mask dev eth0\\nexit 0\\n' >/etc/lease
chmod +x /etc/lease
tries=0
until udhcpc -i eth0 -n -q -t 5 -T 1 -s /etc/lease; do
  tries=$((tries + 1))
  [ $tries -lt 20 ] || poweroff -f
done
exec sleep 1000000
`;

/** Builds it once for each version of Debian's cloud kernel. Needs root's apt. @throws Error that names what is missing. */
export async function buildSmallGuest(): Promise<SmallGuest> {
  const run = runUntil(AbortSignal.timeout(BUILD_TIMEOUT_MS));
  const { name, version } = await kernelPackageOf(guestKernel, run);
  const content = createHash("sha256").update(`${version}\n${init}`).digest("hex").slice(0, 16);
  const directory = await buildOnce(
    `libvirt-guest-${name.replace(/^linux-image-/, "")}-${content}`,
    async (target) => {
      const scratch = join(target, "scratch");
      const kernel = await unpackKernel(name, { directory: join(scratch, "kernel"), run });
      const tree = join(scratch, "tree");
      const modules = await moduleFiles(kernel.modules, {
        needed: ["virtio_pci", "virtio_net"],
        welcome: [],
      });
      await writeBootFiles(tree, { init, modules, run });
      await mkdir(join(tree, "bin"));
      const { stdout: busybox } = await execa("which", ["busybox"]);
      await copyFile(busybox, join(tree, "bin", "busybox"));
      await packInitrd(tree, { file: join(target, "initrd"), run });
      await copyFile(kernel.file, join(target, "vmlinuz"));
      await rm(scratch, { recursive: true });
    },
  );
  return { kernel: join(directory, "vmlinuz"), initrd: join(directory, "initrd") };
}
