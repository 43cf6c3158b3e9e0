import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Reads a control file; undefined when this kernel or this cgroup does not have it. */
export async function readControl(directory: string | undefined, file: string): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  try {
    return (await readFile(join(directory, file), "utf8")).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENODEV: removed while we held it open. EOPNOTSUPP, EINVAL: compiled in, but not usable.
    if (code !== undefined && ["ENOENT", "ENODEV", "EOPNOTSUPP", "EINVAL"].includes(code)) return undefined;
    throw error;
  }
}

/** A number, 0 for what is absent or not a number (`max`). */
export function toCount(text: string | undefined): bigint {
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** `key value` lines. */
export function parseFlatKeyed(text: string | undefined): Map<string, bigint> {
  const values = new Map<string, bigint>();
  for (const line of text?.split("\n") ?? []) {
    const [key, value] = line.split(" ");
    if (key !== undefined && key !== "" && value !== undefined) values.set(key, toCount(value));
  }
  return values;
}
