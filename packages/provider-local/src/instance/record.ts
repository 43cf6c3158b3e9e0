import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProviderError } from "@peerpods/cloud-providers";
import * as z from "zod";

/**
 * What is written down of an instance, before each act.
 *
 * `creating` -> `running` -> `deleting` -> no record. One found in `creating` without a process that works on it was
 * interrupted; nobody has got its address, so it is undone.
 */
export interface InstanceRecord {
  readonly version: 1;
  readonly id: string;
  readonly token: string;
  /** Hash of the request, to tell a repeated one from another one with the same token. */
  readonly fingerprint: string;
  readonly phase: "creating" | "running" | "deleting";
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Known from `running` on. */
  readonly vm?: {
    readonly address: string;
    /** PID 1 of the VM. */
    readonly init: { readonly pid: number; readonly startTicks: number; readonly bootId: string };
  };
}

const schema: z.ZodType<InstanceRecord> = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  token: z.string(),
  fingerprint: z.string(),
  phase: z.enum(["creating", "running", "deleting"]),
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  createdAt: z.number(),
  vm: z
    .strictObject({
      address: z.ipv4(),
      init: z.strictObject({ pid: z.int(), startTicks: z.int(), bootId: z.string() }),
    })
    .exactOptional(),
});

const MAX_BYTES = 256 * 1024;

/**
 * Replaces the record at once. It must survive the death of a process but not of the machine, which takes every VM
 * with it, so nothing waits for the disk.
 */
export async function writeRecord(directory: string, record: InstanceRecord): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Only the holder of the instance's lock writes, so one name for the new text is enough.
  const next = `${recordFile(directory)}.new`;
  await writeFile(next, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  await rename(next, recordFile(directory));
}

/**
 * The record in an instance's directory, or `undefined`.
 * @throws ProviderError `internal` when it cannot be understood.
 */
export async function readRecord(directory: string): Promise<InstanceRecord | undefined> {
  const path = recordFile(directory);
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
    return schema.parse(JSON.parse(buffer.toString("utf8", 0, bytesRead)));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    const what = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ProviderError(
      "internal",
      `the record ${path} is damaged (${what}); delete the instance by its token`,
      {
        cause: error,
      },
    );
  }
}

/** Removes an instance's directory, the record last, so that an interrupted removal can be found and repeated. */
export async function removeDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const isRecord = (name: string) => join(directory, name) === recordFile(directory);
  for (const name of names.filter((n) => !isRecord(n)))
    await rm(join(directory, name), { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
}

function recordFile(directory: string): string {
  return join(directory, "record.json");
}
