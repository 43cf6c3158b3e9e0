import { join } from "node:path";
import { deviceBehind, entries } from "./block-devices.ts";
import type { BlockDevice, DeviceRoot } from "./block-devices.ts";

/** Links that the Azure agent's udev rules make, and the kernel's names of Hyper-V disks. */
export async function findAzureDisk(
  lun: number,
  devices: readonly BlockDevice[],
  { root }: DeviceRoot,
): Promise<string | undefined> {
  const byPath = join(root, "dev/disk/by-path");
  const named = (await entries(byPath)).filter(
    (name) => name.includes("vmbus") && name.endsWith(`-lun-${lun}`) && !name.includes("part"),
  );
  const links = [
    join(root, `dev/disk/azure/data/by-lun/${lun}`),
    join(root, `dev/disk/azure/scsi1/lun${lun}`),
    ...named.map((name) => join(byPath, name)),
  ];
  for (const link of links) {
    const name = await deviceBehind(link);
    // The rules go by the LUN alone, so a link can lead to the system disk, which is on host 0 and in use.
    const device = devices.find((candidate) => candidate.name === name);
    if (device !== undefined && device.scsi?.host !== 0 && !device.inUse) return device.name;
  }
  return undefined;
}
