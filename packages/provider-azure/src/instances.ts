import { ProviderError, type CallContext, type InstanceReference } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import { isGone } from "./errors.ts";
import { groupPath, machineNameOf, nameOf, resourceId, sameId } from "./names.ts";
import type { Interface, Machine, PublicAddress } from "./wire.ts";
import { privateAddresses, publicAddresses } from "./network.ts";

/**
 * Id of the machine that is meant, by id, else by token.
 * @throws ProviderError `invalid_request` for an id of another subscription or resource group.
 */
export function machineIdOf(config: AzureConfig, { instanceId = "", token = "" }: InstanceReference): string {
  if (instanceId === "") return resourceId(config, "machine", machineNameOf(token));
  const own = resourceId(config, "machine", nameOf(instanceId));
  if (sameId(own, instanceId)) return own;
  throw new ProviderError(
    "invalid_request",
    `${instanceId} is not in resource group ${groupPath(config)}, which is what this provider works in`,
  );
}

/** A machine, or `undefined` when there is none of that id. */
export async function findMachine(arm: Arm, id: string, call: CallContext): Promise<Machine | undefined> {
  return await orGone(arm.call<Machine>("GetMachine", { path: id }, call));
}

/** An interface of a machine with its addresses. */
export interface SeenInterface {
  readonly id: string;
  readonly privates: readonly string[];
  readonly publics: readonly string[];
}

/** Interfaces of a machine in their order, all asked for at once; those that are gone are left out. */
export async function interfacesOf(
  arm: Arm,
  machine: Machine,
  call: CallContext,
): Promise<readonly SeenInterface[]> {
  const ids = (machine.properties?.networkProfile?.networkInterfaces ?? []).flatMap(({ id }) => id ?? []);
  const seen = await Promise.all(
    ids.map(async (id) => {
      const card = await orGone(arm.call<Interface>("GetInterface", { path: id }, call));
      if (card === undefined) return [];
      const publics = await Promise.all(
        publicIdsOf(card).map(async (path) =>
          publicAddresses(await orGone(arm.call<PublicAddress>("GetAddress", { path }, call))),
        ),
      );
      return [{ id, privates: privateAddresses(card), publics: publics.flat() }];
    }),
  );
  return seen.flat();
}

/** Ids of the public addresses that an interface has. */
export function publicIdsOf({ properties }: Interface): readonly string[] {
  return (properties?.ipConfigurations ?? []).flatMap((one) => one.properties?.publicIPAddress?.id ?? []);
}

/** How the worker reaches a machine: the first address of the first interface, the public one where that is wished. */
export function addressesOf(
  [first]: readonly Pick<SeenInterface, "privates" | "publics">[],
  { publicAddress }: Pick<AzureConfig, "publicAddress">,
): readonly string[] {
  if (first === undefined) return [];
  return (publicAddress ? first.publics : first.privates).slice(0, 1);
}

async function orGone<Body>(answer: Promise<{ readonly body: Body }>): Promise<Body | undefined> {
  try {
    return (await answer).body;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
