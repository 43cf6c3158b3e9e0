import { chmod, chown, stat } from "node:fs/promises";
import { normalize } from "node:path";
import { invalidArgument } from "../errors.ts";

const SETGID = 0o2000;

/** Storage options that the agent acts on, and those that are for mount(8). */
export interface StorageOptions {
  readonly mode?: number;
  readonly groupId?: number;
  readonly mount: readonly string[];
}

/** @throws ConnectError INVALID_ARGUMENT for a mode or a group that is no number. */
export function parseStorageOptions(options: readonly string[]): StorageOptions {
  const mode = find(options, { prefix: "mode=", form: /^0?[0-7]{3,4}$/, radix: 8 });
  const groupId = find(options, { prefix: "fsgid=", form: /^\d{1,10}$/, radix: 10 });
  return {
    ...(mode !== undefined && { mode }),
    ...(groupId !== undefined && { groupId }),
    mount: options.filter((option) => !option.startsWith("fsgid=")),
  };
}

/** Gives a directory the mode and the group that its volume asks for; new files in it get the same group. */
export async function applyOwnership(path: string, { mode, groupId }: StorageOptions): Promise<void> {
  if (mode !== undefined) await chmod(path, mode);
  if (groupId === undefined) return;
  await chown(path, -1, groupId);
  await chmod(path, ((await stat(path)).mode & 0o7777) | SETGID | 0o070);
}

/** @throws ConnectError INVALID_ARGUMENT when a storage is to be mounted outside of the agent's directory. */
export function checkMountPoint(mountPoint: string, kataDirectory: string): void {
  if (
    !mountPoint.startsWith(`${kataDirectory}/`) ||
    normalize(mountPoint) !== mountPoint ||
    mountPoint.endsWith("/")
  )
    throw invalidArgument(`mount point ${JSON.stringify(mountPoint)} is not in ${kataDirectory}`);
}

function find(
  options: readonly string[],
  { prefix, form, radix }: { prefix: string; form: RegExp; radix: number },
): number | undefined {
  const option = options.find((candidate) => candidate.startsWith(prefix));
  if (option === undefined) return undefined;
  const value = option.slice(prefix.length);
  if (!form.test(value)) throw invalidArgument(`storage option ${JSON.stringify(option)} is not a number`);
  return Number.parseInt(value, radix);
}
