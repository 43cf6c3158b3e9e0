import type { EventText } from "@peerpods/peerpod-ctrl";
import type { SandboxRecord } from "../sandbox/record.ts";
import { remedyOf } from "./remedies.ts";

/** Reasons of all Events that the daemon writes; `docs/observability.md` describes each. */
export const eventReasons = {
  requested: "PodVMRequested",
  created: "PodVMCreated",
  running: "PodVMRunning",
  stopping: "PodVMStopping",
  deleted: "PodVMDeleted",
  failed: "PodVMFailed",
  notRemoved: "PodVMNotRemoved",
  notRecorded: "PeerPodNotRecorded",
  pullSecretsUnread: "PullSecretsUnread",
  pullSecretSkipped: "PullSecretSkipped",
  pullSecretsTooLarge: "PullSecretsTooLarge",
} as const;

/** What people should hear of a sandbox's move, oldest first. `before` is absent for a new one. */
export function eventsOfMove(
  now: SandboxRecord,
  before: SandboxRecord | undefined,
  provider: string,
): readonly EventText[] {
  const { times, instance } = now;
  const reached = (name: keyof SandboxRecord["times"]) =>
    times[name] !== undefined && before?.times[name] === undefined;
  return [
    ...(reached("startingMs")
      ? [
          normal(
            eventReasons.requested,
            `${provider} is asked for a pod VM (sandbox ${short(now.sandboxId)})`,
          ),
        ]
      : []),
    ...(instance !== undefined && instance.id !== before?.instance?.id
      ? [
          normal(
            eventReasons.created,
            `${provider} instance ${instance.id} at ${instance.addresses.join(", ")}, after ${secondsSince(times.startingMs, times.instanceMs)}`,
          ),
        ]
      : []),
    ...(reached("runningMs")
      ? [
          normal(
            eventReasons.running,
            `the pod VM is connected, ${secondsSince(times.startingMs, times.runningMs)} after it was asked for`,
          ),
        ]
      : []),
    ...(reached("endingMs") ? [endingEvent(now)] : []),
  ];
}

function endingEvent({ phase, reason = "", failureCode }: SandboxRecord): EventText {
  if (phase === "failed")
    return { type: "Warning", reason: eventReasons.failed, message: `${reason}; ${remedyOf(failureCode)}` };
  return normal(eventReasons.stopping, `the pod VM is being deleted: ${reason}`);
}

/** The last thing to be said of a sandbox. Nothing of one that never asked for a VM. */
export function eventOfEnd(last: SandboxRecord, provider: string): EventText | undefined {
  if (last.lastAttempt === 0) return undefined;
  const { instance } = last;
  const what = instance === undefined ? "no instance" : `instance ${instance.id}`;
  return normal(
    eventReasons.deleted,
    instance === undefined
      ? `${provider} has confirmed that nothing is left of the pod VM`
      : `${provider} has confirmed that ${what} is gone`,
  );
}

export function eventOfFailedRemoval(lastError: string): EventText {
  return {
    type: "Warning",
    reason: eventReasons.notRemoved,
    message: `${lastError}; it is tried again until it works, see to it if this goes on: the VM may cost money`,
  };
}

export function eventOfMissingRecord(cause: string): EventText {
  return {
    type: "Warning",
    reason: eventReasons.notRecorded,
    message: `${cause}; the pod runs without, and it is tried again`,
  };
}

function normal(reason: string, message: string): EventText {
  return { type: "Normal", reason, message };
}

function short(sandboxId: string): string {
  return sandboxId.slice(0, 12);
}

function secondsSince(fromMs = 0, toMs = fromMs): string {
  return `${((toMs - fromMs) / 1_000).toFixed(1)} s`;
}
