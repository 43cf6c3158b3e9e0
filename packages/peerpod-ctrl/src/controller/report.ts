import { CLUSTER_ID_ANNOTATION } from "../api/names.ts";
import type { ConditionReason } from "../api/conditions.ts";
import type { PeerPod } from "../api/peerpod.ts";
import { isKubernetesError } from "../kubernetes/errors.ts";
import type { EventText, InvolvedObject } from "../kubernetes/event-recorder.ts";
import type { OwnerReference } from "../kubernetes/resource.ts";
import type { ControllerContext } from "./context.ts";
import type { Verdict } from "./verdict.ts";

/** The Pod that a PeerPod belongs to, if it says so. */
export function ownerPod({ metadata }: PeerPod): OwnerReference | undefined {
  const podsOf = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === "Pod");
  return podsOf.find(({ controller }) => controller === true) ?? podsOf[0];
}

/** Writes an Event about the PeerPod, and about its Pod, which is where people look. */
export function tell(peerPod: PeerPod, text: EventText, { recorder }: ControllerContext): void {
  const { name, namespace = "", uid } = peerPod.metadata;
  const about: InvolvedObject = { apiVersion: peerPod.apiVersion, kind: peerPod.kind, name, namespace, uid };
  recorder.record(about, text);
  const owner = ownerPod(peerPod);
  if (owner !== undefined) recorder.record({ ...owner, namespace }, text);
}

/** Shows a failed deletion as a condition and as Events. */
export async function showFailure(
  peerPod: PeerPod,
  verdict: Verdict,
  context: ControllerContext,
): Promise<void> {
  const message = `${verdict.message}; ${verdict.remedy}`;
  tell(
    peerPod,
    {
      type: "Warning",
      reason: verdict.reason,
      message: `${describeInstance(peerPod)} was not deleted: ${message}`,
    },
    context,
  );
  await showDeleting(peerPod, { reason: verdict.reason, message, stuck: !verdict.retry }, context);
}

/** Sets the condition `Deleting`. A failure to do so is logged: it must not hold up the deletion. */
export async function showDeleting(
  peerPod: PeerPod,
  {
    reason,
    message,
    stuck,
  }: { readonly reason: ConditionReason; readonly message: string; readonly stuck: boolean },
  { peerPods, logger, signal }: ControllerContext,
): Promise<void> {
  const status = stuck ? "False" : "True";
  try {
    await peerPods.setStatus(
      peerPod,
      {
        phase: stuck ? "Stuck" : "Deleting",
        conditions: [{ type: "Deleting", status, reason, message }],
      },
      { signal },
    );
  } catch (err) {
    // A conflict or absence means that it has changed, and it comes again.
    if (!isKubernetesError(err, "conflict", "not_found"))
      logger.warn({ err, peerPod: peerPod.metadata.name }, "status could not be written");
  }
}

/** The instance in words, for Events. */
export function describeInstance({ spec, metadata }: PeerPod): string {
  const { cloudProvider = "", instanceID = "", token = "" } = spec;
  const id = instanceID === "" ? `of token ${token === "" ? "(none)" : token}` : instanceID;
  const cluster = metadata.annotations?.[CLUSTER_ID_ANNOTATION];
  return `${cloudProvider} instance ${id}${cluster === undefined ? "" : ` of cluster ${cluster}`}`;
}
