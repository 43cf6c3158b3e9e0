import type { Tags } from "../contract.ts";

/** Names of the tags on every resource and sub-resource of a pod VM. */
export const tagKeys = {
  cluster: "peerpods.cluster",
  node: "peerpods.node",
  namespace: "peerpods.namespace",
  pod: "peerpods.pod",
  sandbox: "peerpods.sandbox",
  token: "peerpods.token",
} as const;

/** Whose pod VM it is. */
export interface InstanceOwner {
  readonly clusterId: string;
  readonly nodeName: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly sandboxId: string;
  /** Given for the tags of a creation, left out to find all attempts of a sandbox. */
  readonly token?: string;
}

/** The tags of an owner. A provider maps them to what its cloud allows (case, characters, length), reversibly. */
export function instanceTags(owner: InstanceOwner): Tags {
  return {
    [tagKeys.cluster]: owner.clusterId,
    [tagKeys.node]: owner.nodeName,
    [tagKeys.namespace]: owner.podNamespace,
    [tagKeys.pod]: owner.podName,
    [tagKeys.sandbox]: owner.sandboxId,
    ...(owner.token === undefined ? {} : { [tagKeys.token]: owner.token }),
  };
}
