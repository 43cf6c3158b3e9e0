import { isKubernetesError, pods, resource } from "@peerpods/peerpod-ctrl";
import type { KubeCallOptions, KubeClient } from "@peerpods/peerpod-ctrl";
import type { SandboxRecord } from "../sandbox/record.ts";

type Pod = ReturnType<typeof pods.parse>;

/** What the daemon needs of a Pod. */
export interface PodFacts {
  readonly uid: string;
  readonly serviceAccountName: string;
  readonly imagePullSecrets: readonly string[];
}

/** The Pods of sandboxes, each asked for once. */
export interface PodLookup {
  /**
   * The Pod that the sandbox was made for, or `undefined` when there is none: it is gone, or its name is another Pod's by now,
   * or the sandbox was not made by a kubelet.
   * @throws KubernetesError
   */
  find(record: SandboxRecord, options: KubeCallOptions): Promise<PodFacts | undefined>;
  /** Drops what is remembered of a sandbox. */
  forget(sandboxId: string): void;
}

/** A Pod is older than its sandbox; this much the clocks of node and API server may differ. */
const CLOCK_SKEW_MS = 60_000;

/** @param options.nodeName of this node's object; empty when it is not known. */
export function createPodLookup(kube: KubeClient, { nodeName }: { readonly nodeName: string }): PodLookup {
  const api = resource(kube, pods);
  const known = new Map<string, Promise<PodFacts | undefined>>();

  async function read(record: SandboxRecord, options: KubeCallOptions): Promise<PodFacts | undefined> {
    try {
      const pod = await api.get({ namespace: record.podNamespace, name: record.podName }, options);
      return isPodOf(record, pod, nodeName) ? factsOf(pod) : undefined;
    } catch (error) {
      if (isKubernetesError(error, "not_found")) return undefined;
      throw error;
    }
  }

  return {
    async find(record, options) {
      const found = known.get(record.sandboxId) ?? read(record, options);
      known.set(record.sandboxId, found);
      try {
        return await found;
      } catch (error) {
        if (known.get(record.sandboxId) === found) known.delete(record.sandboxId);
        throw error;
      }
    },
    forget: (sandboxId) => void known.delete(sandboxId),
  };
}

/** CreateVM brings the Pod's name and not its UID, so a Pod of that name may be its successor. */
export function isPodOf(
  { podUid, times }: Pick<SandboxRecord, "podUid" | "times">,
  { metadata, spec }: Pick<Pod, "metadata" | "spec">,
  nodeName: string,
): boolean {
  if (podUid !== undefined) return metadata.uid === podUid;
  const runsOn = spec?.nodeName ?? "";
  if (nodeName !== "" && runsOn !== "" && runsOn !== nodeName) return false;
  return Date.parse(metadata.creationTimestamp) <= times.createdMs + CLOCK_SKEW_MS;
}

function factsOf({ metadata, spec }: Pod): PodFacts {
  return {
    uid: metadata.uid,
    serviceAccountName: spec?.serviceAccountName || "default",
    imagePullSecrets: (spec?.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : [])),
  };
}
