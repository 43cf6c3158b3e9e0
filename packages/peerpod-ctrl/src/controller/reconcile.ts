import { FINALIZER } from "../api/names.ts";
import type { PeerPod } from "../api/peerpod.ts";
import { isKubernetesError } from "../kubernetes/errors.ts";
import type { ControllerContext } from "./context.ts";
import { finalize, type Finalized } from "./finalize.ts";
import type { Siblings } from "./siblings.ts";

/** What a reconcile looks at besides the object. */
export interface ReconcileState {
  readonly siblings: Siblings;
  readonly confirmed: Set<string>;
}

/**
 * Looks at a PeerPod as it is now and moves it one step. One that is being deleted is finalized; one that lives has its
 * predecessors of the same Pod deleted.
 * @throws KubernetesError
 */
export async function reconcile(
  peerPod: PeerPod,
  { siblings, confirmed }: ReconcileState,
  context: ControllerContext,
): Promise<Finalized> {
  const { deletionTimestamp, finalizers = [] } = peerPod.metadata;
  if (deletionTimestamp !== undefined) {
    if (!finalizers.includes(FINALIZER)) return { outcome: "done" };
    return await finalize(peerPod, confirmed, context);
  }
  for (const { metadata } of siblings.olderThan(peerPod)) {
    const { name, namespace = "", uid } = metadata;
    context.logger.info(
      { peerPod: name, podNamespace: namespace },
      "deleting the PeerPod of a replaced sandbox",
    );
    try {
      await context.peerPods.delete({ name, namespace }, { uid, signal: context.signal });
    } catch (error) {
      // Another object of that name by now.
      if (!isKubernetesError(error, "conflict")) throw error;
    }
  }
  return { outcome: "done" };
}

/** Whether a change can make a difference to {@link reconcile}. Our own writes of status cannot. */
export function matters(before: PeerPod | undefined, after: PeerPod): boolean {
  if (before === undefined) return true;
  const facts = ({ metadata, spec }: PeerPod) =>
    JSON.stringify([
      metadata.uid,
      metadata.deletionTimestamp,
      metadata.finalizers,
      metadata.annotations,
      metadata.ownerReferences,
      spec,
    ]);
  return facts(before) !== facts(after);
}
