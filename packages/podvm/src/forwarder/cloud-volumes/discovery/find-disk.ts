import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CloudVolume } from "../annotation.ts";
import { ebsLinkPrefix, findAwsDisk } from "./aws.ts";
import { findAzureDisk } from "./azure.ts";
import { entries, listBlockDevices } from "./block-devices.ts";
import type { BlockDevice, DeviceRoot } from "./block-devices.ts";

const azureAssetTag = "7783-7084-3265-9085-8269-3286-77";

/** The kind of machine, as far as it matters for finding disks. */
export type DiskScheme = "azure" | "aws" | "virtio" | "generic";

export async function detectDiskScheme({ root }: DeviceRoot): Promise<DiskScheme> {
  const assetTag = await readFile(join(root, "sys/class/dmi/id/chassis_asset_tag"), "utf8").catch(() => "");
  if (assetTag.trim() === azureAssetTag || (await exists(join(root, "dev/disk/azure")))) return "azure";
  const byId = await entries(join(root, "dev/disk/by-id"));
  if (byId.some((name) => name.startsWith(ebsLinkPrefix))) return "aws";
  const names = await entries(join(root, "dev"));
  return names.some((name) => /^vd[a-z]$/.test(name)) ? "virtio" : "generic";
}

/**
 * Looks once for the disk of a volume and returns its kernel name: by the machine's own scheme, else by its SCSI LUN.
 * A disk in use is never the answer.
 */
export async function findDisk(
  volume: Pick<CloudVolume, "lun" | "diskId">,
  place: DeviceRoot,
): Promise<string | undefined> {
  const devices = await listBlockDevices(place);
  const name = await findByScheme(volume, devices, place);
  const device = devices.find((candidate) => candidate.name === name);
  if (device !== undefined && !device.inUse) return device.name;
  return findByLun(volume.lun, devices);
}

async function findByScheme(
  volume: Pick<CloudVolume, "lun" | "diskId">,
  devices: readonly BlockDevice[],
  place: DeviceRoot,
): Promise<string | undefined> {
  switch (await detectDiskScheme(place)) {
    case "azure":
      return findAzureDisk(volume.lun, devices, place);
    case "aws":
      return findAwsDisk(volume, place);
    case "virtio":
      // vda is the system disk, data disks follow in the order of their LUNs.
      return volume.lun < 25 ? `vd${String.fromCharCode("b".charCodeAt(0) + volume.lun)}` : undefined;
    case "generic":
      return undefined;
  }
}

/** A disk on another host than the system's first; on that one only an untouched disk. */
function findByLun(lun: number, devices: readonly BlockDevice[]): string | undefined {
  const candidates = devices.filter((device) => device.scsi?.lun === lun && !device.inUse);
  const apart = candidates.find(({ scsi }) => scsi?.host !== 0);
  return (apart ?? candidates.find(({ hasPartitions }) => !hasPartitions))?.name;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
