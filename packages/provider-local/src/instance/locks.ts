import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { acquireFileLock, type FileLock } from "../host/file-lock.ts";
import type { LocalHost } from "../local-host.ts";

/** One create or delete of an instance at a time, in whatever process. */
export async function lockInstance(local: LocalHost, id: string, signal: AbortSignal): Promise<FileLock> {
  return await lock(local, id, signal);
}

/** Bridge, leases of addresses and what else all instances share. Held for a few milliseconds. */
export async function lockNetwork(local: LocalHost, signal: AbortSignal): Promise<FileLock> {
  return await lock(local, "network", signal);
}

async function lock(local: LocalHost, name: string, signal: AbortSignal): Promise<FileLock> {
  await mkdir(local.paths.locks, { recursive: true, mode: 0o700 });
  return await acquireFileLock(join(local.paths.locks, name), local.run, signal);
}
