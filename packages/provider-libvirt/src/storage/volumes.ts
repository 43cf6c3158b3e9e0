import { ProviderError, type CallContext } from "@peerpods/cloud-providers";
import { isProblem } from "../virsh/errors.ts";
import { unlessGone, type Connection } from "../virsh/connection.ts";
import { buildXml, parseXml, textAt, type XmlElement } from "../xml.ts";

/** A storage volume that exists. */
export interface Volume {
  readonly name: string;
  readonly path: string;
  readonly format: string;
  readonly capacityBytes: bigint;
}

/** A volume to make. */
export interface NewVolume {
  readonly name: string;
  readonly format: "qcow2" | "raw";
  readonly capacityBytes: bigint;
  /** What it shows where nothing was written yet. */
  readonly backing?: Volume;
}

const GIB = 1n << 30n;
const MAX_BYTES = (1n << 64n) - 1n;

/**
 * A volume by its name in the pool, else by key or path; the pool is looked through again before it is said to be missing.
 * @throws ProviderError `not_found` that names it.
 */
export async function findVolume(
  connection: Connection,
  { pool, name }: { readonly pool: string; readonly name: string },
  call: CallContext,
): Promise<Volume> {
  checkVolumeName(name);
  const look = () => unlessGone(connection.ask("vol-dumpxml", ["--pool", pool, "--vol", name], call));
  let xml = await look();
  if (xml === undefined) {
    await connection.act("pool-refresh", ["--pool", pool], call);
    xml = await look();
  }
  if (xml !== undefined) return parseVolume(xml);
  throw new ProviderError(
    "not_found",
    `there is no volume ${JSON.stringify(name)} in the storage pool ${pool}`,
  );
}

/** @throws ProviderError `invalid_request` for what virsh would take for something else than a name, key or path. */
export function checkVolumeName(name: string): void {
  if (/^[^\p{C}\p{Z}-][^\p{C}]{0,1023}$/u.test(name)) return;
  throw new ProviderError(
    "invalid_request",
    `${JSON.stringify(name.slice(0, 80))} is not the name, key or path of a storage volume`,
  );
}

/**
 * Makes a volume and returns it. One of that name is what an interrupted creation left, and is replaced.
 * The caller has made sure that no domain uses it.
 */
export async function createVolume(
  connection: Connection,
  { pool, volume }: { readonly pool: string; readonly volume: NewVolume },
  call: CallContext,
): Promise<Volume> {
  const document = volumeXml(volume);
  const create = () => connection.act("vol-create", ["--pool", pool], { ...call, document, begins: true });
  try {
    await create();
  } catch (error) {
    if (!isProblem(error, "exists")) throw error;
    await deleteVolume(connection, { pool, name: volume.name }, call);
    await create();
  }
  return parseVolume(await connection.ask("vol-dumpxml", ["--pool", pool, "--vol", volume.name], call));
}

/** Deletes a volume; one that is gone is passed over. */
export async function deleteVolume(
  connection: Connection,
  { pool, name }: { readonly pool: string; readonly name: string },
  call: CallContext,
): Promise<void> {
  await unlessGone(connection.act("vol-delete", ["--pool", pool, "--vol", name], call));
}

/** Names of the volumes that the pool has in its directory at this moment. A pool that is gone has none. */
export async function listVolumes(
  connection: Connection,
  pool: string,
  call: CallContext,
): Promise<readonly string[]> {
  if ((await unlessGone(connection.act("pool-refresh", ["--pool", pool], call))) === undefined) return [];
  const list = (await unlessGone(connection.ask("vol-list", ["--pool", pool], call))) ?? "";
  return list.split("\n").flatMap((row) => /^\s*(\S+)\s/.exec(row)?.[1] ?? []);
}

/**
 * Size of a root volume: what the options say, and never less than its base.
 * @throws ProviderError `invalid_config` when it does not fit into 64 bits.
 */
export function rootCapacity(gib: bigint, base: Volume): bigint {
  const wanted = gib * GIB;
  if (wanted > MAX_BYTES)
    throw new ProviderError("invalid_config", `root-disk-size: ${gib} GiB are more than 64 bits can count`);
  return wanted > base.capacityBytes ? wanted : base.capacityBytes;
}

/** Readable by its owner alone: user data holds keys, and a root volume what the guest has written. */
function volumeXml({ name, format, capacityBytes, backing }: NewVolume): string {
  const volume: XmlElement = {
    name,
    capacity: { "@unit": "bytes", "#text": String(capacityBytes) },
    target: { format: { "@type": format }, permissions: { mode: "0600" } },
    ...(backing === undefined
      ? {}
      : { backingStore: { path: backing.path, format: { "@type": backing.format } } }),
  };
  return buildXml({ volume });
}

function parseVolume(xml: string): Volume {
  const volume = parseXml(xml, "a storage volume");
  return {
    name: textAt(volume, "volume/name"),
    path: textAt(volume, "volume/target/path"),
    format: textAt(volume, "volume/target/format", "@type") || "raw",
    capacityBytes: BigInt(textAt(volume, "volume/capacity")),
  };
}
