import { CLUSTER_ID_ANNOTATION } from "../../api/names.ts";
import type { PeerPod } from "../../api/peerpod.ts";
import { nodes } from "../../kubernetes/core.ts";
import { isKubernetesError } from "../../kubernetes/errors.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { resource } from "../../kubernetes/resource.ts";
import type { ControllerContext } from "../context.ts";
import { ownerPod } from "../report.ts";

/**
 * Deletes PeerPods that nobody else ever will: our daemon's, without a Pod as their owner, so that no garbage collector takes
 * them, and of a node that is gone, and the daemon with it. What follows is the deletion of any PeerPod.
 * @throws KubernetesError
 */
export async function deleteLostRecords(
  peerPods: readonly PeerPod[],
  {
    kube,
    graceMs,
    dryRun,
  }: { readonly kube: KubeClient; readonly graceMs: number; readonly dryRun: boolean },
  context: ControllerContext,
): Promise<readonly PeerPod[]> {
  const { clock, clusterId, logger, signal } = context;
  const candidates = peerPods.filter(
    (peerPod) =>
      ownerPod(peerPod) === undefined &&
      peerPod.metadata.deletionTimestamp === undefined &&
      peerPod.metadata.annotations?.[CLUSTER_ID_ANNOTATION] === clusterId &&
      clock.now() - Date.parse(peerPod.metadata.creationTimestamp) >= graceMs,
  );
  const lost: PeerPod[] = [];
  for (const peerPod of candidates) {
    const { nodeName = "" } = peerPod.spec;
    if (nodeName === "" || (await nodeExists(kube, nodeName, signal))) continue;
    lost.push(peerPod);
    if (dryRun) continue;
    const { name, namespace = "", uid } = peerPod.metadata;
    logger.warn(
      { peerPod: name, podNamespace: namespace, node: nodeName },
      "deleting a PeerPod without a Pod whose node is gone",
    );
    try {
      await context.peerPods.delete({ name, namespace }, { uid, signal });
    } catch (error) {
      // Another object of that name by now.
      if (!isKubernetesError(error, "conflict")) throw error;
    }
  }
  return lost;
}

async function nodeExists(kube: KubeClient, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await resource(kube, nodes).get({ name }, { signal });
    return true;
  } catch (error) {
    if (isKubernetesError(error, "not_found")) return false;
    throw error;
  }
}
