import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { orAborted } from "../or-aborted.ts";

/**
 * Waits until the file is there and `parse` makes something of its text (a file may be seen before it is written).
 * Rejects when the signal is aborted.
 */
export async function waitForFile<T>(
  path: string,
  parse: (text: string) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const look = () => {
    readFile(path, "utf8").then(
      (text) => {
        const value = parse(text);
        if (value !== undefined) resolve(value);
      },
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") reject(error);
      },
    );
  };
  // Watching begins before the first look, so nothing is missed between the two.
  const watcher = watch(dirname(path), look);
  watcher.on("error", reject);
  look();
  try {
    return await orAborted(promise, signal);
  } finally {
    watcher.close();
  }
}
