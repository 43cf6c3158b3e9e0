import type { Account } from "../account.ts";
import { ArmError, notFound } from "../arm-error.ts";
import { checkLinked } from "../permissions.ts";
import { sameId } from "../resource-id.ts";
import { at, textAt, type Json, type Reference, type Resource } from "../resource.ts";
import { checkCommon, shown } from "./common.ts";
import { accepted, type Answer, type Request } from "./request.ts";

const TYPE = "Microsoft.Network/networkInterfaces";

/** PUT of a network interface. Its private address is in the answer at once, also while it is being made (inferred). */
export function putInterface(request: Request): Answer {
  const { account, id, body, path } = request;
  checkCommon(request);
  const existing = account.get(id);
  const asked = at<readonly Json[]>(body, "properties", "ipConfigurations") ?? [];
  if (asked.length === 0)
    throw new ArmError(
      400,
      "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
      "There is no IP configuration.",
    );
  const securityGroup = at<string>(body, "properties", "networkSecurityGroup", "id");
  if (securityGroup !== undefined) checkSecurityGroup(account, securityGroup);
  const configurations = asked.map((one, index) => configure(request, one, { existing, index }));
  const resource: Resource = {
    id,
    name: path.names[0] ?? "",
    type: TYPE,
    location: account.location,
    tags: (body["tags"] ?? {}) as Resource["tags"],
    properties: {
      ...(body["properties"] as Json),
      ipConfigurations: configurations,
      provisioningState: existing === undefined && account.delays.interface > 0 ? "Updating" : "Succeeded",
      ...(existing === undefined ? {} : { virtualMachine: existing.properties["virtualMachine"] }),
    },
  };
  account.put(resource);
  const operation = account.operations.begin(account.delays.interface, () => {
    resource.properties["provisioningState"] = "Succeeded";
    return undefined;
  });
  return accepted(request, {
    status: existing === undefined ? 201 : 200,
    body: structuredClone(shown(resource)),
    operation,
  });
}

function configure(
  { account, id }: Request,
  asked: Json,
  { existing, index }: { readonly existing: Resource | undefined; readonly index: number },
): Json {
  const subnet = at<string>(asked, "properties", "subnet", "id") ?? "";
  checkLinked(account, "Microsoft.Network/virtualNetworks/subnets/join/action", subnet);
  if (!sameId(subnet, account.catalog.subnet))
    throw new ArmError(
      400,
      "InvalidResourceReference",
      `Resource ${subnet} referenced by resource ${id} was not found.`,
    );
  const address = at<Reference>(asked, "properties", "publicIPAddress");
  if (address !== undefined) useAddress(account, { address, id });
  const kept = at<string>(
    existing,
    "properties",
    "ipConfigurations",
    index,
    "properties",
    "privateIPAddress",
  );
  if (kept === undefined && account.addressesLeft <= 0)
    throw new ArmError(
      400,
      "SubnetIsFull",
      `Subnet ${subnet} with address prefix 10.0.0.0/16 does not have enough capacity for 1 IP addresses.`,
    );
  if (kept === undefined) account.addressesLeft -= 1;
  return {
    ...asked,
    properties: {
      privateIPAllocationMethod: "Dynamic",
      ...(asked["properties"] as Json),
      privateIPAddress: kept ?? account.address("10.0"),
      provisioningState: "Succeeded",
    },
  };
}

function checkSecurityGroup(account: Account, id: string): void {
  checkLinked(account, "Microsoft.Network/networkSecurityGroups/join/action", id);
  if (!sameId(id, account.catalog.securityGroup))
    throw new ArmError(400, "InvalidResourceReference", `Resource ${id} was not found.`);
}

function useAddress(
  account: Account,
  { address, id }: { readonly address: Reference; readonly id: string },
): void {
  checkLinked(account, "Microsoft.Network/publicIPAddresses/join/action", address.id);
  const resource = account.get(address.id);
  if (resource === undefined)
    throw new ArmError(400, "InvalidResourceReference", `Resource ${address.id} was not found.`);
  checkThere(resource, id);
  const holder = at<string>(resource.properties, "ipConfiguration", "id");
  if (holder !== undefined && !holder.toLowerCase().startsWith(id.toLowerCase()))
    throw new ArmError(
      400,
      "PublicIPAddressInUse",
      `Resource ${id} references ${address.id}, which is in use by ${holder}.`,
    );
  resource.properties["ipConfiguration"] = { id: `${id}/ipConfigurations/primary` };
}

/** DELETE of a network interface: never of one that a machine has. */
export function deleteInterface(request: Request): Answer {
  const { account, id } = request;
  const existing = account.get(id);
  if (existing === undefined) return { status: 204 };
  const machine = at<string>(existing.properties, "virtualMachine", "id");
  if (machine !== undefined)
    throw new ArmError(400, "NicInUse", `Network Interface ${id} is used by existing resource ${machine}.`);
  const operation = account.operations.begin(account.delays.deleteInterface, () => {
    if (account.get(id) === existing) removeInterface(account, existing);
    return undefined;
  });
  return accepted(request, { status: 202, operation });
}

/** Takes the interface away, and frees or takes along its public address. */
export function removeInterface(account: Account, resource: Resource): void {
  account.remove(resource.id);
  account.addressesLeft += 1;
  for (const one of at<readonly Json[]>(resource.properties, "ipConfigurations") ?? []) {
    const reference = at<Reference>(one, "properties", "publicIPAddress");
    const address = account.get(reference?.id);
    if (address === undefined) continue;
    if (reference?.properties?.deleteOption === "Delete") account.remove(address.id);
    else delete address.properties["ipConfiguration"];
  }
}

export function getResource({ account, id }: Request): Answer {
  const resource = account.get(id);
  if (resource === undefined) throw notFound(id);
  return { status: 200, body: shown(resource) };
}

/** What is still being made cannot be referred to. @throws ArmError `ReferencedResourceNotProvisioned`. */
export function checkThere({ id, properties }: Resource, user: string): void {
  const state = textAt(properties, "provisioningState");
  if (state === "Succeeded") return;
  throw new ArmError(
    409,
    "ReferencedResourceNotProvisioned",
    `Cannot proceed with operation because resource ${id} used by resource ${user} is not in Succeeded state. Resource is in ${state} state.`,
  );
}
