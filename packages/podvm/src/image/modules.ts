import { readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { ImageError } from "./image.ts";

/** Modules that a pod VM needs, unless its kernel has them built in. What they depend on comes by itself. */
export const neededModules: readonly string[] = [
  // Disks, network and cloud-init volume of libvirt.
  ...["virtio_pci", "virtio_blk", "virtio_net", "isofs"],
  // The tunnel.
  ...["vxlan", "nf_tables", "nft_ct"],
  // Root file systems of the VM and its containers.
  "overlay",
];

/** Modules that are taken where the kernel has them: checksums in hardware, disks on other buses. */
export const welcomeModules: readonly string[] = ["crc32c-intel", "virtio_scsi", "sd_mod", "sr_mod", "ahci"];

/** A file of a kernel's modules. */
export interface ModuleFile {
  readonly name: string;
  readonly path: string;
}

/**
 * Module files in an order in which each finds what it depends on.
 * @param directory `/lib/modules/<version>` of an unpacked kernel.
 * @throws ImageError when a needed module is neither there nor built in.
 */
export async function moduleFiles(
  directory: string,
  { needed = neededModules, welcome = welcomeModules } = {},
): Promise<readonly ModuleFile[]> {
  const files = new Map<string, string>();
  for (const path of await readdir(directory, { recursive: true }))
    if (path.endsWith(".ko")) files.set(plainName(path), join(directory, path));
  const builtin = new Set(
    (await readFile(join(directory, "modules.builtin"), "utf8")).split("\n").map(plainName),
  );
  const order = new Map<string, ModuleFile>();
  const take = async (name: string): Promise<void> => {
    const path = files.get(name);
    if (order.has(name) || builtin.has(name)) return;
    if (path === undefined) throw new ImageError(`the kernel in ${directory} has no module ${name}`);
    for (const dependency of dependenciesOf(await readFile(path, "latin1"))) await take(dependency);
    order.set(name, { name, path });
  };
  for (const name of needed) await take(plainName(name));
  for (const name of welcome) if (files.has(plainName(name))) await take(plainName(name));
  return [...order.values()];
}

/** What a module says of itself (section `.modinfo`: texts that end with a zero byte). */
export function dependenciesOf(module: string): readonly string[] {
  const list = /\0depends=([^\0]*)\0/.exec(module)?.[1] ?? "";
  return list.split(",").filter(Boolean).map(plainName);
}

/** The kernel takes `-` and `_` for the same. */
function plainName(path: string): string {
  return basename(path, ".ko").replaceAll("-", "_");
}
