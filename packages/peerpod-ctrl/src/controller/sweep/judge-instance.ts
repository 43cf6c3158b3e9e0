import { tagKeys, type InstanceRecord } from "@peerpods/cloud-providers";

/** Why an instance is kept, or why nobody will ever delete it. */
export type Finding =
  /** A PeerPod names it by id or token, so the controller deletes it when its time comes. */
  | "Recorded"
  /** No PeerPod names it, but its pod runs; its daemon will delete it. */
  | "PodAlive"
  /** Its pod is gone or has ended. */
  | "PodGone"
  /** Its node is gone, and the daemon with it. */
  | "NodeGone"
  /** A pod of this name exists, but runs elsewhere, is younger than the instance, or has another sandbox by now. */
  | "PodReplaced";

export const orphaned: ReadonlySet<Finding> = new Set(["PodGone", "NodeGone", "PodReplaced"]);

/** What is known of the pod that an instance's tags name. */
export interface PodFacts {
  readonly nodeName: string;
  readonly phase: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Sandboxes that PeerPods record for it and that are not being deleted. */
  readonly sandboxIds: readonly string[];
}

/** What the cluster knows of an instance that no PeerPod names. */
export interface ClusterFacts {
  /** `undefined`: there is no such pod. */
  readonly pod: PodFacts | undefined;
  /** `undefined`: the instance names no node. */
  readonly nodeExists: boolean | undefined;
}

/** Judges an instance that no PeerPod names. */
export function judgeInstance(
  { tags, createdAt }: Pick<InstanceRecord, "tags" | "createdAt">,
  { pod, nodeExists }: ClusterFacts,
): Finding {
  if (nodeExists === false) return "NodeGone";
  if (pod === undefined || pod.phase === "Succeeded" || pod.phase === "Failed") return "PodGone";
  const nodeName = tags[tagKeys.node];
  if (nodeName !== undefined && pod.nodeName !== "" && pod.nodeName !== nodeName) return "PodReplaced";
  // Clocks of cloud and API server differ; a pod is far older than a minute before its VM is asked for only when it waits.
  if (createdAt !== undefined && createdAt + 60_000 < pod.createdAt) return "PodReplaced";
  const sandboxId = tags[tagKeys.sandbox];
  if (sandboxId !== undefined && pod.sandboxIds.length > 0 && !pod.sandboxIds.includes(sandboxId))
    return "PodReplaced";
  return "PodAlive";
}
