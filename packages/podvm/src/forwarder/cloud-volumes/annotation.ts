import { posix } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import * as z from "zod";

/** A cloud volume that a container mounts, checked. */
export interface CloudVolume {
  /** Names the directory it is mounted on; a single path component. */
  readonly name: string;
  /** Where the container has it. */
  readonly mountPoint: string;
  readonly fsType: "ext4" | "ext3" | "xfs";
  /** Position of the disk, from 0. */
  readonly lun: number;
  /** The cloud's id of the disk; empty when unknown. */
  readonly diskId: string;
  readonly fsGroup: number | undefined;
  /** Present when the volume is encrypted. */
  readonly encryption: { readonly keyId: string } | undefined;
}

/** The device-mapper name of an encrypted volume. */
export function mapperName({ name }: CloudVolume): string {
  return `caa-${name}`;
}

const text = z.string().default("");
const volumeSchema = z.object({
  mount_point: text,
  fs_type: text,
  lun: text,
  disk_id: text,
  fs_group: text,
  encrypt_type: text,
  key_id: text,
});
const annotationSchema = z.record(z.string(), volumeSchema);
const fsTypes = ["ext4", "ext3", "xfs"] as const;
const maxVolumes = 64;

/**
 * Reads the annotation in which the worker lists a container's cloud volumes, in the order of their names.
 * @throws ConnectError INVALID_ARGUMENT naming the volume and what is wrong with it
 */
export function parseCloudVolumes(annotation: string): readonly CloudVolume[] {
  const result = annotationSchema.safeParse(parseJson(annotation));
  if (!result.success) throw invalid(`corrupt cloud_volumes annotation: ${z.prettifyError(result.error)}`);
  const entries = Object.entries(result.data).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > maxVolumes)
    throw invalid(`corrupt cloud_volumes annotation: more than ${maxVolumes} volumes`);
  return entries.map(([name, entry]) => checkVolume(name, entry));
}

function checkVolume(name: string, entry: z.output<typeof volumeSchema>): CloudVolume {
  const wrong = (reason: string) => invalid(`cloud volume ${JSON.stringify(name)}: ${reason}`);
  if (entry.mount_point === "" || entry.lun === "") throw wrong("missing required mount_point or lun");
  if (!isDirectoryName(name)) throw wrong("unsafe name");
  const fsType = fsTypes.find((known) => known === (entry.fs_type || "ext4"));
  if (fsType === undefined) throw wrong(`unsupported filesystem type ${JSON.stringify(entry.fs_type)}`);
  if (!/^\d{1,4}$/.test(entry.lun)) throw wrong(`invalid lun ${JSON.stringify(entry.lun)}`);
  if (entry.fs_group !== "" && !/^\d{1,9}$/.test(entry.fs_group)) {
    throw wrong(`invalid fs_group ${JSON.stringify(entry.fs_group)}`);
  }
  return {
    name,
    mountPoint: entry.mount_point,
    fsType,
    lun: Number(entry.lun),
    diskId: entry.disk_id,
    fsGroup: entry.fs_group === "" ? undefined : Number(entry.fs_group),
    encryption: encryptionOf(entry, wrong),
  };
}

/** No file name holds a NUL, and none with other control characters is meant. */
function isDirectoryName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || posix.basename(name) !== name) return false;
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return !/[\u0000-\u001f\u007f]/.test(name);
}

function encryptionOf(
  { encrypt_type: type, key_id: keyId }: z.output<typeof volumeSchema>,
  wrong: (reason: string) => ConnectError,
): CloudVolume["encryption"] {
  if (type === "") return undefined;
  if (!["luks", "luks2"].includes(type.toLowerCase()))
    throw wrong(`unsupported encrypt_type ${JSON.stringify(type)}`);
  if (keyId === "") throw wrong("missing key_id of an encrypted volume");
  return { keyId };
}

function parseJson(annotation: string): unknown {
  try {
    return JSON.parse(annotation);
  } catch (error) {
    throw invalid(`corrupt cloud_volumes annotation: ${error instanceof Error ? error.message : "not JSON"}`);
  }
}

function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
