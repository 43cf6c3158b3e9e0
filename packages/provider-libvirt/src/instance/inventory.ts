import {
  matchesTags,
  type CallContext,
  type InstanceRecord,
  type InstanceReference,
  type Tags,
} from "@peerpods/cloud-providers";
import type { LibvirtHost } from "../host.ts";
import { unlessGone } from "../virsh/connection.ts";
import { isProblem } from "../virsh/errors.ts";
import { askAddresses } from "./addresses.ts";
import { allDomains } from "./data-volumes.ts";
import { idsOf } from "./delete.ts";
import { findDomain, isOwn, type OwnDomain } from "./look.ts";

/** See `Inventory.listInstances`. */
export async function listInstances(
  host: LibvirtHost,
  tags: Tags,
  call: CallContext,
): Promise<readonly InstanceRecord[]> {
  const domains = await allDomains(host, call);
  const wanted = domains.filter(isOwn).filter(({ metadata }) => matchesTags(metadata.tags, tags));
  return await Promise.all(wanted.map((domain) => recordOf(host, domain, call)));
}

/** See `Inventory.getInstance`. */
export async function getInstance(
  host: LibvirtHost,
  reference: InstanceReference,
  call: CallContext,
): Promise<InstanceRecord | undefined> {
  for (const id of idsOf(reference)) {
    const domain = await findDomain(host, id, call);
    if (domain !== undefined && isOwn(domain)) return await recordOf(host, domain, call);
  }
  return undefined;
}

/** A domain that has ended stays until it is deleted, so it is `stopping` and not `gone`. */
async function recordOf(host: LibvirtHost, domain: OwnDomain, call: CallContext): Promise<InstanceRecord> {
  const { id, metadata, running } = domain;
  const addresses = running ? await addressesNow(host, id, call) : [];
  const state = running ? (addresses.length > 0 ? "running" : "pending") : "stopping";
  return { id, name: metadata.name, addresses, state, tags: metadata.tags, createdAt: metadata.createdAt };
}

async function addressesNow(host: LibvirtHost, id: string, call: CallContext): Promise<readonly string[]> {
  try {
    return (await unlessGone(askAddresses(host, id, call))) ?? [];
  } catch (error) {
    if (isProblem(error, "not_running")) return [];
    throw error;
  }
}
