/** A sandbox by the names a person may use for it. */
export interface PodNames {
  readonly sandboxId: string;
  readonly podName: string;
  readonly podNamespace: string;
}

/** Shorter beginnings of an id are more likely a mistake. */
export const MIN_ID_PREFIX = 6;

/** Those that `wanted` may mean: a pod's name, `namespace/name`, or the beginning of a sandbox id. */
export function findPods<T extends PodNames>(pods: readonly T[], wanted: string): readonly T[] {
  const named = pods.filter(
    ({ podName, podNamespace }) => wanted === podName || wanted === `${podNamespace}/${podName}`,
  );
  if (named.length > 0 || wanted.length < MIN_ID_PREFIX) return named;
  return pods.filter(({ sandboxId }) => sandboxId.startsWith(wanted));
}
