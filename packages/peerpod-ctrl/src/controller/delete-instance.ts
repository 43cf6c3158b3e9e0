import {
  hasInventory,
  ProviderError,
  tagKeys,
  type CallContext,
  type Provider,
  type Tags,
} from "@peerpods/cloud-providers";
import { CLUSTER_ID_ANNOTATION } from "../api/names.ts";
import type { PeerPod } from "../api/peerpod.ts";

/** How the instance was found to be this PeerPod's. */
export type Proof = "tags" | "id";

/**
 * Deletes whatever the PeerPod stands for, until the cloud has confirmed it.
 *
 * Who may write PeerPods must not be able to name anybody's machine. So the tags count: cluster and namespace are the
 * controller's own and the object's, never what its spec says. Only the Go daemon's instances carry no tags; they are taken by
 * their id, if they have no tags of another owner and, where the cloud tells names, the name that daemon gives.
 * @throws ProviderError
 */
export async function deleteInstance(
  provider: Provider,
  { peerPod, clusterId }: { readonly peerPod: PeerPod; readonly clusterId: string },
  call: CallContext,
): Promise<Proof> {
  const { instanceID = "", token = "", earlierTokens = [] } = peerPod.spec;
  const tags = expectedTags(peerPod, clusterId);
  if (isTagged(peerPod)) {
    if (instanceID !== "" || token !== "")
      await provider.deleteInstance(
        { ...given("instanceId", instanceID), ...given("token", token), tags },
        call,
      );
    for (const earlier of earlierTokens) await provider.deleteInstance({ token: earlier, tags }, call);
    return "tags";
  }
  // Its writer records no intent, only an instance; without one there is nothing.
  if (instanceID === "") return "id";
  const proof = await proofOf(provider, { instanceId: instanceID, tags }, call);
  await provider.deleteInstance({ instanceId: instanceID, tags: proof === "tags" ? tags : {} }, call);
  return proof;
}

/** Whether our daemon wrote it, whose instances carry tags. */
export function isTagged({ metadata }: PeerPod): boolean {
  return metadata.annotations?.[CLUSTER_ID_ANNOTATION] !== undefined;
}

function expectedTags({ metadata, spec }: PeerPod, clusterId: string): Tags {
  return {
    [tagKeys.cluster]: clusterId,
    ...given(tagKeys.namespace, metadata.namespace ?? ""),
    ...given(tagKeys.sandbox, spec.sandboxID ?? ""),
  };
}

async function proofOf(
  provider: Provider,
  { instanceId, tags }: { readonly instanceId: string; readonly tags: Tags },
  call: CallContext,
): Promise<Proof> {
  if (!hasInventory(provider)) return "id";
  const record = await provider.getInstance({ instanceId }, call);
  if (record === undefined) return "id";
  // An instance with our tags is held to them, however the PeerPod came about.
  if (record.tags[tagKeys.cluster] !== undefined) return "tags";
  if (record.name === "" || record.name.startsWith("podvm-")) return "id";
  throw new ProviderError(
    "conflict",
    `instance ${instanceId} is named ${JSON.stringify(record.name)}, not podvm-..., and carries no tag ${tagKeys.cluster}=${tags[tagKeys.cluster]}`,
  );
}

function given<Key extends string>(key: Key, value: string): Partial<Record<Key, string>> {
  return value === "" ? {} : ({ [key]: value } as Record<Key, string>);
}
