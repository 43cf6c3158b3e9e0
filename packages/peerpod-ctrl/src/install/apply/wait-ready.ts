import { systemClock } from "@peerpods/cloud-providers";
import { pods, type FromServer } from "../../kubernetes/core.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { resource } from "../../kubernetes/resource.ts";
import type { V1Pod } from "@kubernetes/client-node";
import type { KubeObject } from "../objects/kube-object.ts";
import { keyOfObject, nameOfObject, resourceOf } from "./kinds.ts";
import type { Progress } from "./progress.ts";
import { readinessOf, type Readiness } from "./readiness.ts";

const EVERY_MS = 500;

export interface Waiting {
  readonly kube: KubeClient;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Waits until an object is ready, if it is of a kind that becomes so.
 * @throws Error with what its pods wait for when the signal aborts; KubernetesError.
 */
export async function waitReady(object: KubeObject, waiting: Waiting): Promise<void> {
  let last = "";
  try {
    for (;;) {
      const { ready, text = "" } = await look(object, waiting);
      if (ready) {
        if (text !== "") waiting.progress.done(`ready ${nameOfObject(object)}: ${text}`);
        return;
      }
      last = text;
      waiting.progress.show(`waiting for ${nameOfObject(object)}: ${text}`);
      await systemClock.sleep(EVERY_MS, { signal: waiting.signal });
    }
  } catch (cause) {
    if (!waiting.signal.aborted) throw cause;
    const why = await whyNot(waiting.kube, object);
    throw new Error(`${nameOfObject(object)} is not ready: ${[last, ...why].join("; ")}`, { cause });
  }
}

async function look(object: KubeObject, { kube, signal }: Waiting): Promise<Readiness> {
  const live = await resourceOf(kube, object).get(keyOfObject(object), { signal });
  return readinessOf({ ...live, kind: object.kind });
}

/** What the pods of a Deployment or DaemonSet wait for. */
async function whyNot(kube: KubeClient, object: KubeObject): Promise<readonly string[]> {
  const { selector } = object["spec"] as { selector?: { matchLabels?: Record<string, string> } };
  const labelSelector = Object.entries(selector?.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { namespace } = object.metadata;
  if (labelSelector === "" || namespace === undefined) return [];
  const { items } = await resource(kube, pods).list({ namespace, labelSelector, timeoutMs: 5_000 });
  return [...new Set(items.flatMap(reasons))];
}

function reasons({ metadata, status }: FromServer<V1Pod>): readonly string[] {
  const waiting = (status?.containerStatuses ?? []).flatMap(({ state, lastState }) => {
    const ended = lastState?.terminated;
    const last = ended === undefined ? "" : ` (it ended with exit code ${ended.exitCode})`;
    const { reason, message } = state?.waiting ?? {};
    return reason === undefined ? [] : [`${reason}${last}${message === undefined ? "" : `: ${message}`}`];
  });
  const unscheduled = (status?.conditions ?? []).flatMap(({ type, status: is, message }) =>
    type === "PodScheduled" && is === "False" && message !== undefined ? [message] : [],
  );
  return [...waiting, ...unscheduled].map((reason) => `pod ${metadata.name}: ${reason}`);
}
