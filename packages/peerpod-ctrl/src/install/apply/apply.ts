import type { KubeClient } from "../../kubernetes/kube-client.ts";
import type { KubeObject } from "../objects/kube-object.ts";
import { keyOfObject, nameOfObject, resourceOf } from "./kinds.ts";
import type { Progress } from "./progress.ts";
import { waitReady } from "./wait-ready.ts";

const FIELD_MANAGER = "peerpods-install";

/**
 * Applies the objects in their order on the server's side, so that applying again changes only what differs and leaves
 * fields of others alone, and waits until the programs are ready.
 * @throws KubernetesError; Error that says what is not ready and why, when the signal aborts by its deadline.
 */
export async function applyObjects(
  objects: readonly KubeObject[],
  {
    kube,
    progress,
    signal,
  }: { readonly kube: KubeClient; readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  for (const object of objects) {
    progress.show(`applying ${nameOfObject(object)}`);
    await resourceOf(kube, object).apply(keyOfObject(object), object, {
      fieldManager: FIELD_MANAGER,
      signal,
    });
    progress.done(`applied ${nameOfObject(object)}`);
  }
  for (const object of objects) await waitReady(object, { kube, progress, signal });
}
