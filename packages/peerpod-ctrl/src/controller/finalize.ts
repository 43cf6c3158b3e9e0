import { ProviderError } from "@peerpods/cloud-providers";
import { CLUSTER_ID_ANNOTATION, FORCE_RELEASE_ANNOTATION } from "../api/names.ts";
import type { PeerPod } from "../api/peerpod.ts";
import type { ControllerContext } from "./context.ts";
import { deleteInstance, isTagged } from "./delete-instance.ts";
import { describeInstance, showDeleting, showFailure, tell } from "./report.ts";
import { judge, type Verdict } from "./verdict.ts";

/** What became of a PeerPod that is to go. */
export type Finalized =
  | { readonly outcome: "done" }
  | { readonly outcome: "retry"; readonly retryAfterMs?: number }
  | { readonly outcome: "stuck" };

/**
 * Moves a PeerPod that is being deleted to its end: the instance is deleted until the cloud confirms, then our finalizer
 * goes. `confirmed` remembers by UID what the cloud has confirmed, so that a finalizer that cannot be removed at once does
 * not make the cloud be asked again.
 * @throws KubernetesError when the finalizer cannot be removed.
 */
export async function finalize(
  peerPod: PeerPod,
  confirmed: Set<string>,
  context: ControllerContext,
): Promise<Finalized> {
  const { uid, annotations = {} } = peerPod.metadata;
  if (annotations[FORCE_RELEASE_ANNOTATION] === "true") return await letGo(peerPod, context);
  if (!confirmed.has(uid)) {
    const failure = await tryDelete(peerPod, context);
    if (failure !== undefined) {
      await showFailure(peerPod, failure, context);
      if (!failure.retry) return { outcome: "stuck" };
      const { retryAfterMs } = failure;
      return { outcome: "retry", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    confirmed.add(uid);
  }
  await context.peerPods.release(peerPod, { signal: context.signal });
  context.logger.info(fields(peerPod), "instance is gone, PeerPod released");
  return { outcome: "done" };
}

async function letGo(peerPod: PeerPod, context: ControllerContext): Promise<Finalized> {
  const message = `${describeInstance(peerPod)} is let go of as asked; if it exists, nobody will delete it`;
  tell(peerPod, { type: "Warning", reason: "ForceReleased", message }, context);
  context.logger.warn(fields(peerPod), "PeerPod released by force");
  await context.peerPods.release(peerPod, { signal: context.signal });
  return { outcome: "done" };
}

async function tryDelete(peerPod: PeerPod, context: ControllerContext): Promise<Verdict | undefined> {
  const { cloudProvider = "" } = peerPod.spec;
  const claimed = peerPod.metadata.annotations?.[CLUSTER_ID_ANNOTATION];
  if (claimed !== undefined && claimed !== context.clusterId)
    return foreignCluster(claimed, context.clusterId);
  // Nothing was ever asked of any cloud.
  if (cloudProvider === "" && !namesAnything(peerPod)) return undefined;
  const { clock, observer } = context;
  const began = clock.now();
  let outcome = "ok";
  using slow = showWhenSlow(peerPod, context);
  try {
    if (cloudProvider === "")
      throw new ProviderError("unknown_provider", "spec.cloudProvider is empty, so nobody knows whom to ask");
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(context.cloudTimeoutMs)]);
    const call = { signal, deadline: began + context.cloudTimeoutMs, logger: context.logger };
    const proof = await context.providers.use(cloudProvider, (provider) =>
      deleteInstance(provider, { peerPod, clusterId: context.clusterId }, call),
    );
    if (!isTagged(peerPod)) tellUntagged(peerPod, proof, context);
    return undefined;
  } catch (thrown) {
    const verdict = judge(thrown);
    outcome = verdict.code;
    context.logger.warn(
      { ...fields(peerPod), err: thrown, reason: verdict.reason },
      "instance was not deleted",
    );
    return verdict;
  } finally {
    // Else the status would be written after the failure's own.
    await slow.settled();
    observer.providerCall({ provider: cloudProvider, outcome, seconds: (clock.now() - began) / 1_000 });
  }
}

function namesAnything({ spec }: PeerPod): boolean {
  return [spec.instanceID, spec.token, ...(spec.earlierTokens ?? [])].some(
    (name) => name !== undefined && name !== "",
  );
}

function foreignCluster(claimed: string, clusterId: string): Verdict {
  return {
    code: "conflict",
    reason: "ForeignCluster",
    retry: false,
    message: `the PeerPod is of cluster ${claimed}, and this controller deletes for ${clusterId}`,
    remedy: "give daemon and controller the same cluster id",
  };
}

function tellUntagged(peerPod: PeerPod, proof: string, context: ControllerContext): void {
  const how =
    proof === "tags" ? "its tags are this cluster's" : "it carries no tags, so its id alone counted";
  tell(
    peerPod,
    {
      type: "Normal",
      reason: "DeletedByID",
      message: `${describeInstance(peerPod)} was recorded by another daemon and is deleted: ${how}`,
    },
    context,
  );
}

/** A deletion of minutes must not look like nothing. A quick one costs no request. */
function showWhenSlow(peerPod: PeerPod, context: ControllerContext) {
  const over = new AbortController();
  const written = context.clock.sleep(context.slowMs, { signal: over.signal }).then(
    () =>
      showDeleting(
        peerPod,
        {
          reason: "DeletionRequested",
          message: "the cloud has been asked and has not confirmed yet",
          stuck: false,
        },
        context,
      ),
    () => undefined,
  );
  return {
    async settled() {
      over.abort();
      await written;
    },
    [Symbol.dispose]: () => over.abort(),
  };
}

function fields({ metadata, spec }: PeerPod): object {
  return {
    peerPod: metadata.name,
    podNamespace: metadata.namespace,
    provider: spec.cloudProvider,
    instanceId: spec.instanceID,
    sandboxId: spec.sandboxID,
  };
}
