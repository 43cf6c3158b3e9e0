import { readdir } from "node:fs/promises";
import {
  matchesTags,
  type CallContext,
  type InstanceRecord as InventoryEntry,
  type Tags,
} from "@peerpods/cloud-providers";
import { isAlive } from "../host/process-identity.ts";
import { instancePaths, type LocalHost } from "../local-host.ts";
import { namesOfRequest } from "./delete.ts";
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
    const entry = await entryOf(local, id);
    if (entry !== undefined && matchesTags(entry.tags, tags)) entries.push(entry);
  }
  return entries;
}

/** See `Inventory.getInstance`. */
export async function getInstance(
  local: LocalHost,
  request: { readonly instanceId?: string; readonly token?: string },
): Promise<InventoryEntry | undefined> {
  return await entryOf(local, namesOfRequest(local.key, request).id);
}

/** An instance that has ended by itself is gone, though its record and logs stay until it is deleted. */
async function entryOf(local: LocalHost, id: string): Promise<InventoryEntry | undefined> {
  const record = await readRecord(instancePaths(local.paths, id).directory);
  const state = record && (await stateOf(record));
  if (record === undefined || state === undefined) return undefined;
  return {
    id: record.id,
    name: record.name,
    addresses: record.vm === undefined ? [] : [record.vm.address],
    state,
    tags: record.tags,
    createdAt: record.createdAt,
  };
}

async function stateOf(record: InstanceRecord): Promise<InventoryEntry["state"] | undefined> {
  if (record.phase === "creating") return "pending";
  if (record.phase === "deleting") return "stopping";
  return record.vm !== undefined && (await isAlive(record.vm.init)) ? "running" : undefined;
}
