import { matchesTags, type CallContext, type InstanceRecord, type Tags } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import { addressesOf, publicIdsOf, type SeenInterface } from "./instances.ts";
import { groupPath, isOwnName, nameOf, resourceTypes } from "./names.ts";
import { privateAddresses, publicAddresses } from "./network.ts";
import type { OperationName } from "./operations.ts";
import { pagesOf } from "./pages.ts";
import { ownTagKeys } from "./tags.ts";
import type { Interface, Machine, NamedResource, PublicAddress } from "./wire.ts";

/** ARM's states in ours. A machine that could not be made stays, failed, until it is deleted. */
const states: Readonly<Record<string, InstanceRecord["state"]>> = {
  Creating: "pending",
  Updating: "running",
  Succeeded: "running",
  Deleting: "stopping",
};

/** Machines of the group with all of these tags: three listings, however many there are. */
export async function listInstances(
  arm: Arm,
  { config, tags }: { readonly config: AzureConfig; readonly tags: Tags },
  call: CallContext,
): Promise<readonly InstanceRecord[]> {
  const list = <Item extends NamedResource>(name: OperationName, kind: keyof typeof resourceTypes) =>
    pagesOf<Item>(arm, { name, path: `${groupPath(config)}/providers/${resourceTypes[kind]}` }, call);
  const machines: Machine[] = [];
  for await (const machine of list<Machine>("ListMachines", "machine"))
    if (isOwnName(machine.name ?? "") && matchesTags(machine.tags ?? {}, tags)) machines.push(machine);
  if (machines.length === 0) return [];
  const publics = new Map<string, readonly string[]>();
  if (config.publicAddress)
    for await (const address of list<PublicAddress>("ListAddresses", "address"))
      publics.set((address.id ?? "").toLowerCase(), publicAddresses(address));
  const cards = new Map<string, SeenInterface>();
  for await (const card of list<Interface>("ListInterfaces", "interface"))
    cards.set((card.id ?? "").toLowerCase(), {
      id: card.id ?? "",
      privates: privateAddresses(card),
      publics: publicIdsOf(card).flatMap((id) => publics.get(id.toLowerCase()) ?? []),
    });
  return machines.map((machine) => {
    const own = machine.properties?.networkProfile?.networkInterfaces ?? [];
    const seen = own.flatMap(({ id = "" }) => cards.get(id.toLowerCase()) ?? []);
    return recordOf(machine, addressesOf(seen, config));
  });
}

export function recordOf(machine: Machine, addresses: readonly string[]): InstanceRecord {
  const { id = "", properties = {} } = machine;
  const {
    [ownTagKeys.name]: name = nameOf(id),
    [ownTagKeys.request]: _request,
    ...tags
  } = machine.tags ?? {};
  const createdAt = Date.parse(properties.timeCreated ?? "");
  return {
    id,
    name,
    addresses,
    state: states[properties.provisioningState ?? ""] ?? "unknown",
    tags,
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
  };
}
