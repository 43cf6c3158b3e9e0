import { readdir } from "node:fs/promises";
import {
  matchesTags,
  type CallContext,
  type InstanceRecord as InventoryEntry,
  type InstanceReference,
  type Tags,
} from "@peerpods/cloud-providers";
import { isAlive } from "../host/process-identity.ts";
import { instancePaths, type LocalHost } from "../local-host.ts";
import { namesOfReference } from "./delete.ts";
import { readRecord, type InstanceRecord } from "./record.ts";

/** See `Inventory.listInstances`. */
export async function listInstances(
  local: LocalHost,
  tags: Tags,
  call: CallContext,
): Promise<readonly InventoryEntry[]> {
  const ids = await readdir(local.paths.instances).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const entries: InventoryEntry[] = [];
  for (const id of ids) {
    call.signal.throwIfAborted();
    // One damaged record must not hide the other instances from a sweep.
    const entry = await entryOf(local, id).catch((err: unknown) => {
      call.logger.warn({ err, instanceId: id }, "leaving out an instance whose record is damaged");
      return undefined;
    });
    if (entry !== undefined && matchesTags(entry.tags, tags)) entries.push(entry);
  }
  return entries;
}

/** See `Inventory.getInstance`. */
export async function getInstance(
  local: LocalHost,
  reference: InstanceReference,
): Promise<InventoryEntry | undefined> {
  return await entryOf(local, namesOfReference(local.key, reference).id);
}

async function entryOf(local: LocalHost, id: string): Promise<InventoryEntry | undefined> {
  const record = await readRecord(instancePaths(local.paths, id).directory);
  if (record === undefined) return undefined;
  return {
    id: record.id,
    name: record.name,
    addresses: record.vm === undefined ? [] : [record.vm.address],
    state: await stateOf(record),
    tags: record.tags,
    createdAt: record.createdAt,
  };
}

/** A VM that has ended by itself still has an address, cgroups and files, so a sweep must find it: it is on its way out. */
async function stateOf(record: InstanceRecord): Promise<InventoryEntry["state"]> {
  if (record.phase === "creating") return "pending";
  if (record.phase === "deleting" || record.vm === undefined) return "stopping";
  return (await isAlive(record.vm.init)) ? "running" : "stopping";
}
