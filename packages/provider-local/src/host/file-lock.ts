import { open, rm, stat, type FileHandle } from "node:fs/promises";
import { ProviderError } from "@peerpods/cloud-providers";
import { CommandError, type Run } from "./run.ts";

/** How long a caller waits for another one; its own signal usually ends the wait earlier. */
const LOCK_TIMEOUT_MS = 120_000;

/** For tidying up after a lock that was not got; nothing is waited for. */
const TIDY_TIMEOUT_MS = 5_000;

/** Exit code of flock(1) for a lock that somebody else holds; no other failure of it has this one. */
const HELD = 75;

/** A lock that is held until it is disposed of; disposing twice is harmless. */
export interface FileLock extends AsyncDisposable {
  /** A program that inherits this descriptor keeps the lock until it ends, even if we die before it. */
  readonly fd: number;
}

/**
 * Takes an exclusive lock that holds between processes and ends with this one, however it ends.
 *
 * flock(1) locks the open file that it inherits from us, so the lock stays with our descriptor after it has left.
 * The file is removed while the lock is held; whoever then gets the lock of a removed file tries again with the
 * new one. So no lock file stays behind.
 * @throws ProviderError whose `left` names the lock file when the lock was not got, and the file could not be removed.
 */
export async function acquireFileLock(path: string, run: Run, signal: AbortSignal): Promise<FileLock> {
  for (;;) {
    const file = await open(path, "a", 0o600);
    try {
      await run("flock", ["--exclusive", "3"], { signal, inheritFd: file.fd, timeoutMs: LOCK_TIMEOUT_MS });
      if (await isFileAt(path, file)) return releasing(path, file);
      await file.close();
    } catch (error) {
      const stays = await removeUnheld(path, file, run);
      await file.close();
      if (!stays) throw error;
      const { code, message, retryable } = ProviderError.from(error, "lock");
      throw new ProviderError(code, message, { cause: error, left: [path], retryable });
    }
  }
}

/** Removes a lock file that nobody holds. @returns whether it stays although nobody is there to remove it. */
async function removeUnheld(path: string, file: FileHandle, run: Run): Promise<boolean> {
  const signal = AbortSignal.timeout(TIDY_TIMEOUT_MS);
  try {
    const args = ["--exclusive", "--nonblock", "--conflict-exit-code", `${HELD}`, "3"];
    await run("flock", args, { signal, inheritFd: file.fd });
  } catch (error) {
    const isHeld = error instanceof CommandError && error.exitCode === HELD;
    return !isHeld && (await isFileAt(path, file));
  }
  if (await isFileAt(path, file)) await rm(path, { force: true });
  return false;
}

function releasing(path: string, file: FileHandle): FileLock {
  let released: Promise<void> | undefined;
  const release = async () => {
    await rm(path, { force: true });
    await file.close();
  };
  return { fd: file.fd, [Symbol.asyncDispose]: () => (released ??= release()) };
}

async function isFileAt(path: string, file: FileHandle): Promise<boolean> {
  const held = await file.stat();
  const found = await stat(path).catch(() => undefined);
  return found?.ino === held.ino && found.dev === held.dev;
}
