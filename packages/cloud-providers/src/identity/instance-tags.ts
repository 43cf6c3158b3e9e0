import type { Tags } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import { instanceToken } from "./instance-token.ts";

/** Tag keys. Lower-case letters and dashes only: that is what every cloud takes as a key. */
export const tagKeys = {
  cluster: "peerpods-cluster",
  node: "peerpods-node",
  namespace: "peerpods-namespace",
  pod: "peerpods-pod",
  sandbox: "peerpods-sandbox",
  attempt: "peerpods-attempt",
  token: "peerpods-token",
} as const;

/** Whose instance it is. Empty strings leave a tag out; cluster and sandbox must be given. */
export interface InstanceOwner {
  /** A setting, else the UID of the `kube-system` namespace, else a UUID kept in the state directory. */
  readonly clusterId: string;
  readonly nodeName: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly sandboxId: string;
  readonly attempt: number;
}

/**
 * Tags of everything that one attempt makes, the same whenever they are computed.
 * @throws ProviderError `invalid_request` for a missing cluster or sandbox id, or a value over 256 characters or outside
 * letters, digits and `. _ : / = + - @`, which is what AWS and Azure both take.
 */
export function instanceTags(owner: InstanceOwner): Tags {
  return present({
    [tagKeys.cluster]: required("cluster id", owner.clusterId),
    [tagKeys.node]: owner.nodeName,
    [tagKeys.namespace]: owner.podNamespace,
    [tagKeys.pod]: owner.podName,
    [tagKeys.sandbox]: required("sandbox id", owner.sandboxId),
    [tagKeys.attempt]: String(owner.attempt),
    [tagKeys.token]: instanceToken(owner.sandboxId, owner.attempt),
  });
}

/** The tags that all instances of one cluster, or of one node of it, share: what an orphan sweep lists by. */
export function ownerTags(owner: { readonly clusterId: string; readonly nodeName?: string }): Tags {
  return present({
    [tagKeys.cluster]: required("cluster id", owner.clusterId),
    [tagKeys.node]: owner.nodeName ?? "",
  });
}

/** Whether `actual` holds every one of `wanted`. */
export function matchesTags(actual: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([key, value]) => actual[key] === value);
}

function present(tags: Tags): Tags {
  const entries = Object.entries(tags).filter(([, value]) => value !== "");
  for (const [key, value] of entries) {
    if (/^[\p{L}\p{N} ._:/=+@-]{1,256}$/u.test(value)) continue;
    throw new ProviderError(
      "invalid_request",
      `tag ${key}: ${JSON.stringify(value.slice(0, 80))} is over 256 characters or holds others than letters, digits and . _ : / = + - @`,
    );
  }
  return Object.fromEntries(entries);
}

function required(what: string, value: string): string {
  if (value === "") throw new ProviderError("invalid_request", `tags need a ${what}`);
  return value;
}
