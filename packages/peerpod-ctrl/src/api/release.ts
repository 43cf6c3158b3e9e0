import { isKubernetesError } from "../kubernetes/errors.ts";
import type { KubeCallOptions } from "../kubernetes/kube-client.ts";
import type { Resource } from "../kubernetes/resource.ts";
import { FINALIZER } from "./names.ts";
import type { PeerPod } from "./peerpod.ts";

const MAX_CONFLICTS = 5;

/**
 * Removes our finalizer and no other: one request, whose precondition is that the finalizer stands where it was read. A
 * conflict is read again. What is gone, or is another object of the same name by now, counts as released.
 * @returns the object as it is afterwards; `undefined` when it is gone.
 * @throws KubernetesError
 */
export async function releasePeerPod(
  peerPods: Resource<PeerPod>,
  peerPod: PeerPod,
  options: KubeCallOptions = {},
): Promise<PeerPod | undefined> {
  const { name, namespace, uid } = peerPod.metadata;
  const key = { name, ...(namespace === undefined ? {} : { namespace }) };
  let current = peerPod;
  for (let conflicts = 0; ; conflicts += 1) {
    if (current.metadata.uid !== uid) return undefined;
    const index = (current.metadata.finalizers ?? []).indexOf(FINALIZER);
    if (index === -1) return current;
    const path = `/metadata/finalizers/${index}`;
    try {
      return await peerPods.patch(
        key,
        [
          { op: "test", path: "/metadata/uid", value: uid },
          { op: "test", path, value: FINALIZER },
          { op: "remove", path },
        ],
        options,
      );
    } catch (error) {
      if (isKubernetesError(error, "not_found")) return undefined;
      // A test that fails is answered with 422.
      if (!isKubernetesError(error, "conflict", "invalid") || conflicts >= MAX_CONFLICTS) throw error;
    }
    const read = await peerPods.get(key, options).catch((error: unknown) => {
      if (isKubernetesError(error, "not_found")) return undefined;
      throw error;
    });
    if (read === undefined) return undefined;
    current = read;
  }
}
