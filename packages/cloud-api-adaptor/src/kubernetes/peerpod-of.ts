import type { PeerPodSpec, StatusChange } from "@peerpods/peerpod-ctrl";
import type { SandboxRecord } from "../sandbox/record.ts";
import { isEnding } from "../sandbox/transitions.ts";

/** How long a start goes on before its PeerPod says so: most are over by then, and need one request less. */
export const SHOW_STARTING_AFTER_MS = 5_000;
/** The same for a removal. Until then nothing more is written about a sandbox that ends. */
export const SHOW_ENDING_AFTER_MS = 30_000;

/** As many tokens of earlier attempts as a PeerPod takes. What is beyond is found by the tags of the instances. */
const MAX_EARLIER_TOKENS = 32;

type Spec = PeerPodSpec & { readonly sandboxID: string };

/** The `spec` that a sandbox's PeerPod should have. */
export function specOf(record: SandboxRecord, cloudProvider: string): Spec {
  const { sandboxId, nodeName, attempts, instance } = record;
  const tokens = attempts.map(({ token }) => token);
  const earlier = tokens.slice(0, -1).slice(-MAX_EARLIER_TOKENS);
  const token = tokens.at(-1);
  return {
    cloudProvider,
    sandboxID: sandboxId,
    nodeName,
    ...(token === undefined ? {} : { token }),
    ...(earlier.length === 0 ? {} : { earlierTokens: earlier }),
    ...(instance === undefined ? {} : { instanceID: instance.id }),
  };
}

/** The merge patch from what `spec` is to what it should be; `undefined` when it is that already. Only our own fields. */
export function specPatch(is: PeerPodSpec, wanted: Spec): Readonly<Record<string, unknown>> | undefined {
  const fields = ["cloudProvider", "instanceID", "token", "earlierTokens", "sandboxID", "nodeName"] as const;
  const differing = fields.filter((field) => JSON.stringify(is[field]) !== JSON.stringify(wanted[field]));
  if (differing.length === 0) return undefined;
  return { spec: Object.fromEntries(differing.map((field) => [field, wanted[field] ?? null])) };
}

/**
 * What the PeerPod's status should say, and from when on it is worth a request (milliseconds since the epoch); `undefined`
 * when it may stay as it is. Of a start that takes long one state is shown, whichever it is in by then.
 */
export function statusOf(record: SandboxRecord): (StatusChange & { readonly fromMs: number }) | undefined {
  const { phase, times, instance, reason = "" } = record;
  switch (phase) {
    case "created":
      return undefined;
    case "starting": {
      const fromMs = (times.startingMs ?? times.createdMs) + SHOW_STARTING_AFTER_MS;
      if (times.instanceMs !== undefined && times.instanceMs > fromMs) return undefined;
      return {
        fromMs,
        phase: instance === undefined ? "Requested" : "Created",
        conditions: [created(record)],
      };
    }
    case "running":
      return {
        fromMs: 0,
        phase: "Running",
        conditions: [
          created(record),
          {
            type: "Running",
            status: "True",
            reason: "SandboxStarted",
            message: `started ${secondsBetween(times.startingMs, times.runningMs)} s after the cloud was asked`,
          },
        ],
      };
    case "stopping":
    case "failed": {
      const failed = phase === "failed";
      const why = failed ? "StartFailed" : "SandboxStopped";
      return {
        fromMs: (times.endingMs ?? times.createdMs) + SHOW_ENDING_AFTER_MS,
        phase: failed ? "Failed" : "Stopping",
        conditions: [
          created(record),
          ...(instance === undefined
            ? []
            : [{ type: "Running", status: "False", reason: why, message: reason } as const]),
        ],
      };
    }
    default:
      return phase satisfies never;
  }
}

function created(record: SandboxRecord): StatusChange["conditions"][number] {
  const { instance, times, reason = "" } = record;
  if (instance !== undefined) {
    const { id, addresses } = instance;
    return {
      type: "Created",
      status: "True",
      reason: "InstanceCreated",
      message: `${id} at ${addresses.join(", ")}, ${secondsBetween(times.startingMs, times.instanceMs)} s after the cloud was asked`,
    };
  }
  return isEnding(record)
    ? { type: "Created", status: "False", reason: "CreationFailed", message: reason }
    : {
        type: "Created",
        status: "False",
        reason: "InstanceRequested",
        message: "the cloud has been or will be asked",
      };
}

function secondsBetween(fromMs = 0, toMs = fromMs): string {
  return ((toMs - fromMs) / 1_000).toFixed(1);
}
