import type { KubeCallOptions, KubeClient } from "../kubernetes/kube-client.ts";
import { resource, type Resource, type ResourceType } from "../kubernetes/resource.ts";
import { setCondition, type Condition } from "./conditions.ts";
import { GROUP, PLURAL, VERSION } from "./names.ts";
import { parsePeerPod, type PeerPod, type PeerPodPhase, type PeerPodStatus } from "./peerpod.ts";
import { releasePeerPod } from "./release.ts";

export const peerPodType: ResourceType<PeerPod> = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  parse: parsePeerPod,
};

/** PeerPods of one API server: the verbs of every resource, and what is peculiar to them. */
export interface PeerPodClient extends Resource<PeerPod> {
  /** Removes our finalizer and no other; see `releasePeerPod`. */
  release(peerPod: PeerPod, options?: KubeCallOptions): Promise<PeerPod | undefined>;
  /**
   * Sets phase and conditions with one request, or with none when they are so already.
   * @returns the object as it is afterwards.
   */
  setStatus(peerPod: PeerPod, change: StatusChange, options?: KubeCallOptions): Promise<PeerPod>;
}

export interface StatusChange {
  readonly phase: PeerPodPhase;
  readonly conditions: readonly Omit<Condition, "lastTransitionTime" | "observedGeneration">[];
}

/** The typed client of the PeerPod API. */
export function createPeerPodClient(kube: KubeClient): PeerPodClient {
  const peerPods = resource(kube, peerPodType);
  return {
    ...peerPods,
    release: (peerPod, options) => releasePeerPod(peerPods, peerPod, options),
    async setStatus(peerPod, change, options = {}) {
      const status = changedStatus(peerPod, change, new Date());
      if (status === undefined) return peerPod;
      const { name, namespace, resourceVersion } = peerPod.metadata;
      const key = { name, ...(namespace === undefined ? {} : { namespace }) };
      // A merge patch replaces the list of conditions as a whole, so a change in between must be noticed.
      const patch = { metadata: { resourceVersion }, status };
      return await peerPods.patch(key, patch, { ...options, subresource: "status" });
    },
  };
}

function changedStatus(
  { metadata, status }: PeerPod,
  { phase, conditions }: StatusChange,
  now: Date,
): PeerPodStatus | undefined {
  const { generation } = metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const before = status.conditions ?? [];
  const after = conditions.reduce<readonly Condition[]>(
    (list, condition) => setCondition(list, { ...condition, ...observed }, now),
    before,
  );
  if (after === before && status.phase === phase) return undefined;
  return { phase, ...observed, conditions: after };
}
