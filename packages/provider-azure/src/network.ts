import { lookUntil, type CallContext, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import { nameOf, partNames, resourceId } from "./names.ts";
import { addressRequest, interfaceRequest } from "./network-request.ts";
import type { OperationName } from "./operations.ts";
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
  const publics =
    publicId === undefined
      ? []
      : publicAddresses(
          await make<PublicAddress>(
            parts,
            {
              put: "PutAddress",
              get: "GetAddress",
              path: publicId,
              body: addressRequest(facts),
              ready: hasPublic,
            },
            call,
          ),
        );
  const body = interfaceRequest(facts, publicId === undefined ? {} : { publicAddress: publicId });
  const made = await make<Interface>(
    parts,
    { put: "PutInterface", get: "GetInterface", path: id, body, ready: hasPrivate },
    call,
  );
  return { id, addresses: publicId === undefined ? privateAddresses(made) : publics };
}

/** Makes something and waits until it is there with its address: what is not cannot be referred to. Often it is at once. */
async function make<Body extends Provisioned>(
  { clock, pollMs, arm }: Pick<Parts, "clock" | "pollMs"> & { readonly arm: Arm },
  part: {
    readonly put: OperationName;
    readonly get: OperationName;
    readonly path: string;
    readonly body: object;
    readonly ready: (made: Body) => boolean;
  },
  call: MakingCall,
): Promise<Body> {
  const { path, body } = part;
  const answer = await arm.call<Body>(part.put, { path, body }, { ...call, onUncertain: call.onBegun });
  call.onBegun();
  let made = answer.body;
  const look = async () => {
    if (isThere(made) && part.ready(made)) return made;
    made = (await arm.call<Body>(part.get, { path }, call)).body;
    return isThere(made) && part.ready(made) ? made : undefined;
  };
  const pauseMs = Math.min(answer.retryAfterMs ?? pollMs, pollMs);
  return await lookUntil(`${nameOf(path)} is not there`, look, {
    clock,
    pollMs: pauseMs,
    signal: call.signal,
  });
}

interface Provisioned {
  readonly properties?: { readonly provisioningState?: string };
}

function isThere({ properties }: Provisioned): boolean {
  return (properties?.provisioningState ?? "Succeeded") === "Succeeded";
}

function hasPrivate(made: Interface): boolean {
  return privateAddresses(made).length > 0;
}

function hasPublic(made: PublicAddress): boolean {
  return publicAddresses(made).length > 0;
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
