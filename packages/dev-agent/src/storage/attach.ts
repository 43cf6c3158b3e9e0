import type { Storage } from "@peerpods/kata-protocols/agent";
import { unimplemented } from "../errors.ts";
import { checkMountPoint } from "./options.ts";
import { attachImage } from "./rootfs.ts";
import type { AttachedStorage, StorageContext } from "./storage-context.ts";
import { attachEphemeral, attachLocal, attachMount } from "./volumes.ts";

type Driver = (storage: Storage, context: StorageContext, signal: AbortSignal) => Promise<AttachedStorage>;

const drivers: Readonly<Record<string, Driver>> = {
  ephemeral: attachEphemeral,
  local: attachLocal,
  image_guest_pull: attachImage,
  overlayfs: attachMount,
  bind: attachMount,
};

/** Names of the drivers, as GetGuestDetails lists them. */
export const storageDrivers: readonly string[] = Object.keys(drivers);

/**
 * Makes a storage available in the VM.
 * @throws ConnectError UNIMPLEMENTED for drivers of devices, which no pod VM of ours has.
 */
export async function attachStorage(
  storage: Storage,
  context: StorageContext,
  signal: AbortSignal,
): Promise<AttachedStorage> {
  const driver = Object.hasOwn(drivers, storage.driver) ? drivers[storage.driver] : undefined;
  if (driver === undefined)
    throw unimplemented(
      `dev-agent has no storage driver ${JSON.stringify(storage.driver)}, only ${storageDrivers.join(", ")}`,
    );
  checkMountPoint(storage.mountPoint, context.kataDirectory);
  return driver(storage, context, signal);
}
