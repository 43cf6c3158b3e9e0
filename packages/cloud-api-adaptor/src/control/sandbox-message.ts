import { create } from "@bufbuild/protobuf";
import { SandboxSchema, StampSchema, type Sandbox } from "../gen/peerpods/control/v1/control_pb.ts";
import type { SandboxStatus } from "../sandbox/lifecycle.ts";
import type { RelaySandbox } from "../sandbox/ports.ts";
import type { SandboxTimes } from "../sandbox/record.ts";

/** Names of the timeline's stamps; the order of a life. */
const stamps: Readonly<Record<keyof SandboxTimes, string>> = {
  createdMs: "created",
  startingMs: "starting",
  instanceMs: "instance",
  tunnelMs: "tunnel",
  connectedMs: "connected",
  runningMs: "running",
  endingMs: "ending",
};

/** One sandbox as the control protocol tells it: the lifecycle's record, and what the relay says of its connections. */
export function sandboxMessage(status: SandboxStatus, carried: RelaySandbox | undefined): Sandbox {
  const { record, lastError } = status;
  return create(SandboxSchema, {
    sandboxId: record.sandboxId,
    podName: record.podName,
    podNamespace: record.podNamespace,
    phase: record.phase,
    error: lastError ?? (record.phase === "failed" ? (record.reason ?? "") : ""),
    instanceId: record.instance?.id ?? "",
    instanceName: record.instanceName,
    addresses: [...(record.instance?.addresses ?? [])],
    timeline: timelineOf(record.times),
    agentSocket: record.agentSocketPath,
    ...(carried === undefined ? {} : { relay: relayMessage(carried) }),
  });
}

function timelineOf(times: SandboxTimes) {
  return (Object.keys(stamps) as (keyof SandboxTimes)[]).flatMap((key) => {
    const atMs = times[key];
    return atMs === undefined ? [] : [create(StampSchema, { name: stamps[key], atMs })];
  });
}

function relayMessage({ state, shim, frames, bytes, reconnects }: RelaySandbox) {
  return {
    vm: state,
    shim,
    framesToVm: BigInt(frames.toVm),
    framesToShim: BigInt(frames.toShim),
    bytesToVm: BigInt(bytes.toVm),
    bytesToShim: BigInt(bytes.toShim),
    reconnects: BigInt(reconnects),
  };
}
