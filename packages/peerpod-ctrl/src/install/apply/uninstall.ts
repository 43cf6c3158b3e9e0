import { systemClock } from "@peerpods/cloud-providers";
import { createPeerPodClient } from "../../api/client.ts";
import { FORCE_RELEASE_ANNOTATION } from "../../api/names.ts";
import type { PeerPod } from "../../api/peerpod.ts";
import { pods } from "../../kubernetes/core.ts";
import { isKubernetesError } from "../../kubernetes/errors.ts";
import { resource } from "../../kubernetes/resource.ts";
import type { KubeObject } from "../objects/kube-object.ts";
import { keyOfObject, nameOfObject, resourceOf } from "./kinds.ts";
import type { Waiting } from "./wait-ready.ts";

const EVERY_MS = 500;

/**
 * Removes an installation, after the last pod VM is gone: without controller and daemon nobody would delete it, and its
 * PeerPod would hold its namespace for ever.
 * @throws Error naming the pods that still run (nothing is removed then) or the PeerPods that do not go; KubernetesError.
 */
export async function uninstall(
  objects: readonly KubeObject[],
  { deletePods, ...waiting }: Waiting & { readonly deletePods: boolean },
): Promise<void> {
  const { progress } = waiting;
  const living = (await peerPodsOf(waiting)).filter(isAlive);
  if (living.length > 0 && !deletePods)
    throw new Error(
      `${living.length} pods still run in VMs, and nothing was removed: ${some(living)}; delete them, or give --delete-pods`,
    );
  const [first, rest] = [
    objects.filter(({ kind }) => kind === "RuntimeClass"),
    objects.filter(({ kind }) => kind !== "RuntimeClass" && kind !== "Namespace"),
  ];
  // New pods cannot ask for it any more; the API server refuses them.
  for (const object of first) await remove(object, waiting);
  await drain(waiting);
  for (const object of rest.toReversed()) await remove(object, waiting);
  for (const { metadata } of objects.filter(({ kind }) => kind === "Namespace"))
    progress.done(`left Namespace ${metadata.name}, which may hold more than this`);
}

/** Deletes pods and PeerPods, and waits until the controller has let go of the last one. */
async function drain(waiting: Waiting): Promise<void> {
  const { progress, signal } = waiting;
  let left: readonly PeerPod[] = [];
  try {
    for (;;) {
      left = await peerPodsOf(waiting);
      if (left.length === 0) return progress.done("no pod VM is left");
      for (const peerPod of left.filter(isAlive)) await deletePod(peerPod, waiting);
      progress.show(`waiting for ${left.length} PeerPods: ${some(left)}`);
      await systemClock.sleep(EVERY_MS, { signal });
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new Error(
      `${left.length} PeerPods do not go, so controller and daemon were left: ${some(left)}; see what kubectl describe peerpod says, or let go of one with the annotation ${FORCE_RELEASE_ANNOTATION}=true`,
      { cause },
    );
  }
}

/** The Pod that has the VM, and its PeerPod: the controller deletes the VM also where no daemon does. */
async function deletePod({ metadata }: PeerPod, { kube, signal }: Waiting): Promise<void> {
  const { name, uid, namespace = "", ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ kind }) => kind === "Pod");
  if (owner !== undefined) {
    const deletion = resource(kube, pods).delete({ name: owner.name, namespace }, { uid: owner.uid, signal });
    await ignoreConflict(deletion);
  }
  await ignoreConflict(createPeerPodClient(kube).delete({ name, namespace }, { uid, signal }));
}

/** None when the CRD is not there (any more). */
async function peerPodsOf({ kube, signal }: Waiting): Promise<readonly PeerPod[]> {
  try {
    return (await createPeerPodClient(kube).list({ signal })).items;
  } catch (error) {
    if (isKubernetesError(error, "missing_resource")) return [];
    throw error;
  }
}

async function remove(object: KubeObject, { kube, progress, signal }: Waiting): Promise<void> {
  progress.show(`removing ${nameOfObject(object)}`);
  await resourceOf(kube, object).delete(keyOfObject(object), { signal });
  progress.done(`removed ${nameOfObject(object)}`);
}

function isAlive({ metadata }: PeerPod): boolean {
  return metadata.deletionTimestamp === undefined;
}

function some(peerPods: readonly PeerPod[]): string {
  const names = peerPods.slice(0, 5).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return [...names, ...(peerPods.length > 5 ? [`and ${peerPods.length - 5} more`] : [])].join(", ");
}

/** Another object of that name by now. */
async function ignoreConflict(deletion: Promise<void>): Promise<void> {
  await deletion.catch((error: unknown) => {
    if (!isKubernetesError(error, "conflict")) throw error;
  });
}
