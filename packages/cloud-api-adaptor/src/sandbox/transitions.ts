/**
 * The moves between phases, as functions from record to record. A move that the record's phase does not allow throws;
 * a move that has happened already returns the same record, so that nothing is written twice.
 */

import type { Instance } from "@peerpods/cloud-providers";
import type { WorkerTunnel } from "@peerpods/pod-network";
import { SandboxError } from "./errors.ts";
import type { Attempt, SandboxRecord } from "./record.ts";

/** Why a sandbox ends. */
export interface EndReason {
  readonly phase: "stopping" | "failed";
  /** One line for people. */
  readonly reason: string;
  /** Code of the error that made it fail. */
  readonly code?: string | undefined;
}

/** Before the cloud is asked. `replaces` names the attempt that just failed leaving nothing, so it need not be undone. */
export function attemptIntended(
  record: SandboxRecord,
  {
    attempt,
    nowMs,
    replaces,
    podUid,
  }: { attempt: Attempt; nowMs: number; replaces?: string; podUid?: string | undefined },
): SandboxRecord {
  requireStartable(record);
  if (attempt.number <= record.lastAttempt) {
    throw new SandboxError(
      "conflict",
      `sandbox ${record.sandboxId}: attempt ${attempt.number} was used already`,
    );
  }
  return {
    ...record,
    ...(podUid === undefined ? {} : { podUid }),
    phase: "starting",
    lastAttempt: attempt.number,
    attempts: [...record.attempts.filter(({ token }) => token !== replaces), attempt],
    times: { ...record.times, startingMs: record.times.startingMs ?? nowMs },
  };
}

/** The cloud has answered. Also recorded when the sandbox is ending meanwhile: the id makes its deletion certain. */
export function instanceKnown(
  record: SandboxRecord,
  { token, instance, nowMs }: { token: string; instance: Instance; nowMs: number },
): SandboxRecord {
  return {
    ...record,
    instance,
    attempts: record.attempts.map((attempt) =>
      attempt.token === token ? { ...attempt, instanceId: instance.id } : attempt,
    ),
    times: { ...record.times, instanceMs: nowMs },
  };
}

/** An attempt failed and left nothing that would have to be undone. */
export function attemptLeftNothing(record: SandboxRecord, token: string): SandboxRecord {
  if (!record.attempts.some((attempt) => attempt.token === token)) return record;
  return { ...record, attempts: record.attempts.filter((attempt) => attempt.token !== token) };
}

/** Before tunnel and relay are touched. */
export function connectionIntended(record: SandboxRecord, tunnel: WorkerTunnel): SandboxRecord {
  requireStartable(record);
  return { ...record, tunnel };
}

/** Tunnel and relay stand; StartVM may be answered. */
export function nowRunning(
  record: SandboxRecord,
  { tunnelMs, connectedMs, nowMs }: { tunnelMs: number; connectedMs: number; nowMs: number },
): SandboxRecord {
  requireStartable(record);
  return { ...record, phase: "running", times: { ...record.times, tunnelMs, connectedMs, runningMs: nowMs } };
}

/** Before the first removal. What is ending already keeps its first reason. */
export function nowEnding(
  record: SandboxRecord,
  { phase, reason, code, nowMs }: EndReason & { nowMs: number },
): SandboxRecord {
  if (isEnding(record)) return record;
  return {
    ...record,
    phase,
    reason: reason.slice(0, 2000),
    ...(code === undefined ? {} : { failureCode: code.slice(0, 100) }),
    times: { ...record.times, endingMs: nowMs },
  };
}

/** Nothing but removal can happen to this sandbox any more. */
export function isEnding(record: SandboxRecord): boolean {
  return record.phase === "stopping" || record.phase === "failed";
}

function requireStartable(record: SandboxRecord): void {
  if (record.phase === "created" || record.phase === "starting") return;
  throw new SandboxError("conflict", `sandbox ${record.sandboxId} cannot be started: it is ${record.phase}`);
}
