import type { AzureConfig } from "./config.ts";
import { operations, type ArmOperation, type OperationName } from "./operations.ts";

/** Name of the role that `deploy/role.json` defines. */
export const roleName = "Peer Pods Operator";

/** Calls that only the verifier makes; a creation goes without them. */
const verifierOnly: ReadonlySet<OperationName> = new Set([
  "GetSubscription",
  "GetGroup",
  "GetSubnet",
  "GetSecurityGroup",
  "ListNetworkUsages",
  "ListUsages",
  "ListPermissions",
  "GetManagedImage",
  "GetImageDefinition",
  "GetImageVersion",
  "GetCommunityImageVersion",
]);

/** Every action that this provider needs for all that it can do, sorted. */
export function allActions(): readonly string[] {
  return actionsOf(Object.keys(operations) as OperationName[]);
}

/**
 * Actions that pod VMs of this configuration need on the resource group. What is read of images and networks may be granted
 * elsewhere, and is noticed when it is read.
 */
export function neededActions({ publicAddress }: Pick<AzureConfig, "publicAddress">): readonly string[] {
  const names = (Object.keys(operations) as OperationName[]).filter((name) => !verifierOnly.has(name));
  return actionsOf(names).filter(
    (action) =>
      (publicAddress || !action.includes("/publicIPAddresses/")) &&
      // Granted on the network, which may be in another group; of the whole subscription.
      !/\/(virtualNetworks|networkSecurityGroups)\//.test(action) &&
      action !== operations.ListSizes.action,
  );
}

function actionsOf(names: readonly OperationName[]): readonly string[] {
  const actions = names.flatMap((name) => {
    const { action, linked = [] }: ArmOperation = operations[name];
    return [action, ...linked];
  });
  return [...new Set(actions)].filter((action) => action !== "").toSorted();
}

/** The definition as `az role definition create` takes it. */
export function roleDefinition(): object {
  return {
    Name: roleName,
    IsCustom: true,
    Description: "Makes and deletes pod VMs, and checks their configuration",
    Actions: allActions(),
    NotActions: [],
    AssignableScopes: ["/subscriptions/<subscription>"],
  };
}
