import type { PeerPod } from "../api/peerpod.ts";
import { keyOf, type Change } from "../kubernetes/informer.ts";
import { ownerPod } from "./report.ts";

/** PeerPods by the Pod they belong to, so that none need be searched for. */
export interface Siblings {
  /** Takes a change of the cache over. */
  apply(change: Change<PeerPod>): void;
  /**
   * PeerPods of the same Pod, in the same namespace, that were made before this one: their sandboxes have been replaced.
   * Times have seconds only; of two made within one second neither counts as older, for deleting the wrong one would end a
   * running pod, while the right one ends with its Pod at the latest.
   */
  olderThan(peerPod: PeerPod): readonly PeerPod[];
}

export function createSiblings(): Siblings {
  const byOwner = new Map<string, Map<string, PeerPod>>();
  const groupOf = (peerPod: PeerPod) => {
    const owner = ownerPod(peerPod);
    return owner === undefined ? undefined : `${peerPod.metadata.namespace}/${owner.uid}`;
  };
  return {
    apply({ type, object, old }) {
      const before = old === undefined ? undefined : groupOf(old);
      const group = groupOf(object);
      if (before !== undefined && before !== group) drop(byOwner, before, object);
      if (group === undefined) return;
      if (type === "deleted") drop(byOwner, group, object);
      else {
        const members = byOwner.get(group) ?? new Map<string, PeerPod>();
        byOwner.set(group, members.set(keyOf(object), object));
      }
    },
    olderThan(peerPod) {
      const group = groupOf(peerPod);
      if (group === undefined) return [];
      const madeAt = Date.parse(peerPod.metadata.creationTimestamp);
      return [...(byOwner.get(group)?.values() ?? [])].filter(
        ({ metadata }) =>
          metadata.uid !== peerPod.metadata.uid &&
          metadata.deletionTimestamp === undefined &&
          Date.parse(metadata.creationTimestamp) < madeAt,
      );
    },
  };
}

function drop(byOwner: Map<string, Map<string, PeerPod>>, group: string, peerPod: PeerPod): void {
  const members = byOwner.get(group);
  members?.delete(keyOf(peerPod));
  if (members?.size === 0) byOwner.delete(group);
}
