import { tagKeys, type InstanceRecord } from "@peerpods/cloud-providers";
import type { PeerPodClient } from "../../api/client.ts";
import type { PeerPod } from "../../api/peerpod.ts";
import { nodes, pods } from "../../kubernetes/core.ts";
import { isKubernetesError } from "../../kubernetes/errors.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { resource } from "../../kubernetes/resource.ts";
import { ownerPod } from "../report.ts";
import type { ClusterFacts } from "./judge-instance.ts";

/** PeerPods as a sweep asks for them, read once. */
export interface Records {
  readonly peerPods: readonly PeerPod[];
  /** Whether a PeerPod names this instance. */
  names(provider: string, record: InstanceRecord): boolean;
  sandboxIdsOf(pod: string): readonly string[];
  readonly providers: readonly string[];
}

/** Reads all PeerPods from the API server itself: a cache might not have what was recorded a moment ago. */
export async function readRecords(peerPods: PeerPodClient, signal: AbortSignal): Promise<Records> {
  const { items } = await peerPods.list({ signal, timeoutMs: 120_000 });
  const ids = new Set(items.map(({ spec }) => `${spec.cloudProvider ?? ""}/${spec.instanceID ?? ""}`));
  const tokens = new Set(items.flatMap(({ spec }) => [spec.token ?? "", ...(spec.earlierTokens ?? [])]));
  tokens.delete("");
  const sandboxes = new Map<string, string[]>();
  for (const peerPod of items) {
    const pod = podOf(peerPod);
    const { sandboxID } = peerPod.spec;
    if (pod === undefined || sandboxID === undefined || peerPod.metadata.deletionTimestamp !== undefined)
      continue;
    sandboxes.set(pod, [...(sandboxes.get(pod) ?? []), sandboxID]);
  }
  return {
    peerPods: items,
    names: (provider, { id, tags }) => ids.has(`${provider}/${id}`) || tokens.has(tags[tagKeys.token] ?? ""),
    sandboxIdsOf: (pod) => sandboxes.get(pod) ?? [],
    providers: [...new Set(items.map(({ spec }) => spec.cloudProvider ?? ""))].filter((name) => name !== ""),
  };
}

function podOf(peerPod: PeerPod): string | undefined {
  const owner = ownerPod(peerPod);
  return owner === undefined ? undefined : `${peerPod.metadata.namespace}/${owner.name}`;
}

/** Asks the API server for pod and node that an instance's tags name. */
export async function readFacts(
  kube: KubeClient,
  { tags }: InstanceRecord,
  { records, signal }: { readonly records: Records; readonly signal: AbortSignal },
): Promise<ClusterFacts> {
  const node = tags[tagKeys.node];
  const [namespace, name] = [tags[tagKeys.namespace], tags[tagKeys.pod]];
  const nodeExists =
    node === undefined
      ? undefined
      : (await orGone(resource(kube, nodes).get({ name: node }, { signal }))) !== undefined;
  const pod =
    namespace === undefined || name === undefined
      ? undefined
      : await orGone(resource(kube, pods).get({ namespace, name }, { signal }));
  if (pod === undefined) return { pod, nodeExists };
  return {
    nodeExists,
    pod: {
      nodeName: pod.spec?.nodeName ?? "",
      phase: pod.status?.phase ?? "",
      createdAt: Date.parse(pod.metadata.creationTimestamp),
      sandboxIds: records.sandboxIdsOf(`${namespace}/${name}`),
    },
  };
}

async function orGone<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isKubernetesError(error, "not_found")) return undefined;
    throw error;
  }
}
