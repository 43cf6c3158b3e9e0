import { randomUUID } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Makes what was done in one directory before the call durable. */
export type DirectorySync = () => Promise<void>;

/**
 * Replaces a file so that a crash at any instant leaves the old content or the new one, and that the new one is on disk
 * when the promise resolves: temporary file beside it, fsync, rename, fsync of the directory. Mode 0600.
 */
export async function writeFileAtomic(
  path: string,
  content: string,
  sync: DirectorySync = () => syncDirectory(dirname(path)),
): Promise<void> {
  const temporary = join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}.${randomUUID()}`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await sync();
}

/** What a crash in the middle of {@link writeFileAtomic} leaves begins with this. */
export const TEMPORARY_PREFIX = ".tmp-";

/** Removes a file, durably. One that is not there is no error. */
export async function removeFileDurably(
  path: string,
  sync: DirectorySync = () => syncDirectory(dirname(path)),
): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await sync();
}

/**
 * A sync for a directory in which much happens side by side. Calls that come while one is under way share the next: it
 * begins after all of them, so it covers what each has done before.
 */
export function createDirectorySync(path: string): DirectorySync {
  let latest = Promise.resolve();
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    latest = syncDirectory(path);
    return latest;
  };
  return () => (next ??= latest.then(begin, begin));
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
