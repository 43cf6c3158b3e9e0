import { lookUntil, type CallContext, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import { partNames, resourceId } from "./names.ts";
import { addressRequest, interfaceRequest } from "./network-request.ts";
import type { Parts } from "./parts.ts";
import { tagsFor } from "./tags.ts";
import type { Interface, PublicAddress } from "./wire.ts";

/** The interfaces of one machine, and how it is reached. */
export interface Network {
  /** Ids, the one to dial first. */
  readonly interfaces: readonly string[];
  readonly addresses: readonly string[];
}

/** A call that makes something. */
export interface MakingCall extends CallContext {
  /** Called as soon as there may be something to undo. */
  readonly onBegun: () => void;
}

type Connected = Pick<Parts, "config" | "clock" | "pollMs"> & { readonly arm: Arm };

/**
 * Makes the interfaces of a machine, all at once, each with its public address where that is wished. The same request again
 * changes nothing.
 */
export async function makeNetwork(
  parts: Connected,
  { request, machine }: { readonly request: CreateInstanceRequest; readonly machine: string },
  call: MakingCall,
): Promise<Network> {
  const indexes = request.spec.multiNic ? ([0, 1] as const) : ([0] as const);
  const made = await settled(indexes.map((index) => makeInterface(parts, { request, machine, index }, call)));
  // The second interface is for traffic of the pod, not for the worker to dial.
  return { interfaces: made.map(({ id }) => id), addresses: (made[0]?.addresses ?? []).slice(0, 1) };
}

/** All of them, but a failure only when each has ended: what goes on would be made behind the undoing's back. */
async function settled<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

async function makeInterface(
  { config, ...parts }: Connected,
  {
    request,
    machine,
    index,
  }: { readonly request: CreateInstanceRequest; readonly machine: string; readonly index: 0 | 1 },
  call: MakingCall,
): Promise<{ readonly id: string; readonly addresses: readonly string[] }> {
  const names = partNames(machine);
  const facts = { config, tags: tagsFor(request, config.tags) };
  const id = resourceId(config, "interface", names.interfaces[index]);
  const publicId = config.publicAddress ? resourceId(config, "address", names.addresses[index]) : undefined;
  const making = { ...call, onUncertain: call.onBegun };
  let address: PublicAddress | undefined;
  if (publicId !== undefined) {
    const answer = await parts.arm.call<PublicAddress>(
      "PutAddress",
      { path: publicId, body: addressRequest(facts) },
      making,
    );
    call.onBegun();
    address = answer.body;
  }
  const body = interfaceRequest(facts, publicId === undefined ? {} : { publicAddress: publicId });
  const { body: made } = await parts.arm.call<Interface>("PutInterface", { path: id, body }, making);
  call.onBegun();
  const settle = (known: readonly string[], ask: () => Promise<readonly string[]>) =>
    addressUntil(parts, { known, ask }, call);
  // Nobody asks for the second one's address, so it is not waited for.
  if (index === 1) return { id, addresses: [] };
  if (publicId !== undefined)
    return {
      id,
      addresses: await settle(publicAddresses(address), async () =>
        publicAddresses((await parts.arm.call<PublicAddress>("GetAddress", { path: publicId }, call)).body),
      ),
    };
  return {
    id,
    addresses: await settle(privateAddresses(made), async () =>
      privateAddresses((await parts.arm.call<Interface>("GetInterface", { path: id }, call)).body),
    ),
  };
}

/** Azure may give a number a little later than the thing that has it. */
async function addressUntil(
  { clock, pollMs }: Pick<Parts, "clock" | "pollMs">,
  { known, ask }: { readonly known: readonly string[]; readonly ask: () => Promise<readonly string[]> },
  { signal }: CallContext,
): Promise<readonly string[]> {
  if (known.length > 0) return known;
  const look = async () => {
    const found = await ask();
    return found.length > 0 ? found : undefined;
  };
  return await lookUntil("an address is not assigned", look, { clock, pollMs, signal });
}

/** Private addresses of an interface, the primary one first; those that are not assigned yet are left out. */
export function privateAddresses({ properties }: Interface): readonly string[] {
  const configurations = properties?.ipConfigurations ?? [];
  return configurations
    .toSorted((a, b) => Number(b.properties?.primary ?? false) - Number(a.properties?.primary ?? false))
    .map((one) => one.properties?.privateIPAddress ?? "")
    .filter(isAddress);
}

export function publicAddresses(address: PublicAddress | undefined): readonly string[] {
  return [address?.properties?.ipAddress ?? ""].filter(isAddress);
}

function isAddress(text: string): boolean {
  return text !== "" && text !== "0.0.0.0";
}
