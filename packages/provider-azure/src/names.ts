import { createHash } from "node:crypto";
import type { AzureConfig } from "./config.ts";

const PREFIX = "podvm-";

/**
 * Name of a token's machine. ARM makes a thing once for each name, so the token is the name as long as it obeys the rules for
 * machines (64 characters, a letter or digit at the end), else its digest is.
 */
export function machineNameOf(token: string): string {
  const readable = `${PREFIX}${token}`;
  if (readable.length <= 64 && !readable.endsWith("-")) return readable;
  return `${PREFIX}${createHash("sha256").update(token).digest("hex").slice(0, 56)}`;
}

/** Names of what is made with a machine, whether or not this one has all of it. */
export interface PartNames {
  /** The first is the one that the worker dials; the second is for traffic that leaves the cluster. */
  readonly interfaces: readonly [string, string];
  /** Of the interface with the same index. */
  readonly addresses: readonly [string, string];
  readonly rootDisk: string;
}

export function partNames(machine: string): PartNames {
  return {
    interfaces: [`${machine}-nic0`, `${machine}-nic1`],
    addresses: [`${machine}-ip0`, `${machine}-ip1`],
    rootDisk: `${machine}-disk`,
  };
}

/** Whether it is a name that this provider gives. */
export function isOwnName(machine: string): boolean {
  return machine.startsWith(PREFIX);
}

/** Hostname of the guest: what was asked for, but Azure takes no dash at the ends. */
export function computerNameOf(name: string): string {
  return name.replaceAll(/^-+|-+$/g, "") || "podvm";
}

/** Types of resources that pod VMs are made of. */
export const resourceTypes = {
  machine: "Microsoft.Compute/virtualMachines",
  disk: "Microsoft.Compute/disks",
  interface: "Microsoft.Network/networkInterfaces",
  address: "Microsoft.Network/publicIPAddresses",
} as const;

export type ResourceKind = keyof typeof resourceTypes;

type Place = Pick<AzureConfig, "subscription" | "group">;

/** Path and id of a resource of ours. */
export function resourceId(place: Place, kind: ResourceKind, name: string): string {
  return `${groupPath(place)}/providers/${resourceTypes[kind]}/${encodeURIComponent(name)}`;
}

export function groupPath({ subscription, group }: Place): string {
  return `/subscriptions/${subscription}/resourceGroups/${encodeURIComponent(group)}`;
}

/** What a machine's id looks like. */
export const machineIdForm =
  /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[\w().-]{1,90}\/providers\/Microsoft\.Compute\/virtualMachines\/[\w.-]{1,80}$/i;

/** The last part of an id. */
export function nameOf(id: string): string {
  return decodeURIComponent(id.slice(id.lastIndexOf("/") + 1));
}

/** Ids are told apart without regard to case, and Azure writes them now so, now so. */
export function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
