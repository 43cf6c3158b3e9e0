import { mkdir } from "node:fs/promises";
import type { Storage } from "@peerpods/kata-protocols/agent";
import { isMountPoint, mount, unmount } from "../host/mounts.ts";
import { applyOwnership, parseStorageOptions } from "./options.ts";
import type { AttachedStorage, StorageContext } from "./storage-context.ts";

/**
 * A file system in memory: /dev/shm of the sandbox, and emptyDirs of medium Memory. It is named again with each
 * container that uses it and keeps its content until the sandbox ends, so that a restarted container finds it.
 */
export async function attachEphemeral(
  storage: Storage,
  { host }: StorageContext,
  signal: AbortSignal,
): Promise<AttachedStorage> {
  const { mountPoint, fstype, source } = storage;
  if (await isMountPoint(mountPoint)) return {};
  const options = parseStorageOptions(storage.options);
  await mkdir(mountPoint, { recursive: true });
  await mount({ type: fstype || "tmpfs", source, target: mountPoint, options: options.mount }, host, signal);
  // The mode is mount's affair here.
  await applyOwnership(mountPoint, {
    ...(options.groupId !== undefined && { groupId: options.groupId }),
    mount: [],
  });
  return {};
}

/** A directory of the VM: emptyDirs of the default medium. Lives as long as the sandbox. */
export async function attachLocal(storage: Storage): Promise<AttachedStorage> {
  const options = parseStorageOptions(storage.options);
  const made = await mkdir(storage.mountPoint, { recursive: true });
  if (made !== undefined) await applyOwnership(storage.mountPoint, options);
  return {};
}

/** An overlay or a bind mount of what is already in the VM. */
export async function attachMount(
  storage: Storage,
  { host }: StorageContext,
  signal: AbortSignal,
): Promise<AttachedStorage> {
  const { mountPoint, fstype, source, options } = storage;
  await mkdir(mountPoint, { recursive: true });
  const isBind = fstype === "bind" || options.includes("bind") || options.includes("rbind");
  const type = isBind ? {} : { type: fstype };
  const mountOptions = isBind && options.length === 0 ? ["bind"] : options;
  await mount({ ...type, source, target: mountPoint, options: mountOptions }, host, signal);
  return { detach: (ending) => unmount(mountPoint, host, ending) };
}
