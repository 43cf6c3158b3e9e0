import { readFile, readdir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";

/** One disk as sysfs shows it. */
export interface BlockDevice {
  /** Kernel name, e.g. `sdb`. */
  readonly name: string;
  /** SCSI host, channel, target and LUN, where it is a SCSI disk. */
  readonly scsi: { readonly host: number; readonly lun: number } | undefined;
  readonly hasPartitions: boolean;
  /** Whether it, a partition of it, or something built on either is mounted or held. */
  readonly inUse: boolean;
}

/** Where a machine shows its devices; `/` except in tests. */
export interface DeviceRoot {
  readonly root: string;
}

/** The disks that may be data disks: SCSI, NVMe and virtio. */
export async function listBlockDevices({ root }: DeviceRoot): Promise<readonly BlockDevice[]> {
  const names = await entries(join(root, "sys/block"));
  const mounts = await mountedSources(root);
  const disks = names.filter((name) => /^(sd|nvme|vd)/.test(name)).sort();
  return Promise.all(disks.map((name) => describe(name, root, mounts)));
}

/** The names in a directory; none if it does not exist. */
export async function entries(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}

/** The kernel name that a link in `/dev` leads to, e.g. `sdc`; undefined if there is no such link. */
export async function deviceBehind(link: string): Promise<string | undefined> {
  return realpath(link).then(
    (path) => basename(path),
    () => undefined,
  );
}

async function describe(name: string, root: string, mounts: ReadonlySet<string>): Promise<BlockDevice> {
  const directory = join(root, "sys/block", name);
  const partitions = (await entries(directory)).filter((entry) => entry.startsWith(name));
  const parts = [directory, ...partitions.map((partition) => join(directory, partition))];
  const holders = await Promise.all(parts.map((part) => entries(join(part, "holders"))));
  const target = await realpath(join(directory, "device")).catch(() => "");
  const address = /(?:^|\/)(\d+):\d+:\d+:(\d+)$/.exec(target);
  return {
    name,
    scsi: address === null ? undefined : { host: Number(address[1]), lun: Number(address[2]) },
    hasPartitions: partitions.length > 0,
    inUse: holders.some((list) => list.length > 0) || [name, ...partitions].some((part) => mounts.has(part)),
  };
}

/** Kernel names of everything in `/dev` that is mounted. */
async function mountedSources(root: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(root, "proc/mounts"), "utf8");
  const sources = text.split("\n").flatMap((line) => {
    const source = line.split(" ")[0] ?? "";
    return source.startsWith("/dev/") ? [source] : [];
  });
  const names = await Promise.all(
    sources.map(async (source) => (await deviceBehind(join(root, source))) ?? basename(source)),
  );
  return new Set(names);
}
