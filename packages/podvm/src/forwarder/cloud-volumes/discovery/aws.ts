import { join } from "node:path";
import { deviceBehind, entries } from "./block-devices.ts";
import type { DeviceRoot } from "./block-devices.ts";

export const ebsLinkPrefix = "nvme-Amazon_Elastic_Block_Store_";

/** By the volume id, which EBS disks have as their serial number; without an id by position among them. */
export async function findAwsDisk(
  { lun, diskId }: { readonly lun: number; readonly diskId: string },
  { root }: DeviceRoot,
): Promise<string | undefined> {
  const directory = join(root, "dev/disk/by-id");
  const links = (await entries(directory))
    .filter((name) => name.startsWith(ebsLinkPrefix) && !name.includes("-part"))
    .sort();
  const serial = diskId.replaceAll("-", "");
  const link = diskId === "" ? links[lun] : links.find((name) => name.includes(serial));
  return link === undefined ? undefined : deviceBehind(join(directory, link));
}
