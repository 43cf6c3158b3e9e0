import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { OpenRequestSchema, ShimState, VmState } from "../../gen/peerpods/relay/v1/relay_pb.ts";
import type {
  OpenRequest,
  Sandbox,
  SandboxSchema,
  WatchResponse,
  WatchResponseSchema,
} from "../../gen/peerpods/relay/v1/relay_pb.ts";
import type { RelayEvent, RelayOpenRequest, RelaySandbox, RelayTls } from "../../sandbox/relay-port.ts";
import { RelayError } from "../errors.ts";

const VM_STATES = {
  connecting: VmState.CONNECTING,
  connected: VmState.CONNECTED,
  reconnecting: VmState.RECONNECTING,
  lost: VmState.LOST,
} as const satisfies Record<RelaySandbox["state"], VmState>;

const SHIM_STATES = {
  none: ShimState.NONE,
  connected: ShimState.CONNECTED,
  gone: ShimState.GONE,
} as const satisfies Record<RelaySandbox["shim"], ShimState>;

export function openRequestToMessage(request: RelayOpenRequest): OpenRequest {
  const { tls } = request;
  return create(OpenRequestSchema, {
    sandboxId: request.sandboxId,
    socketPath: request.socketPath,
    target: request.target,
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    dialTimeoutMs: BigInt(request.dialTimeoutMs),
  });
}

/** @throws RelayError `invalid_request` for what has no place in a request; the relay checks the values. */
export function openRequestFromMessage(message: OpenRequest): RelayOpenRequest {
  const { target, tls } = message;
  if (target === undefined) throw new RelayError("invalid_request", "target is missing");
  return {
    sandboxId: message.sandboxId,
    socketPath: message.socketPath,
    target: { host: target.host, port: target.port },
    ...(tls === undefined ? {} : { tls: tlsFromMessage(tls) }),
    dialTimeoutMs: Number(message.dialTimeoutMs),
  };
}

function tlsFromMessage(tls: NonNullable<OpenRequest["tls"]>): RelayTls {
  const { ca, cert, key, serverName, minVersion, ciphers } = tls;
  if (minVersion !== "" && minVersion !== "TLSv1.2" && minVersion !== "TLSv1.3") {
    throw new RelayError("invalid_request", "tls.minVersion must be TLSv1.2 or TLSv1.3");
  }
  return {
    ca,
    cert,
    key,
    serverName,
    ...(minVersion === "" ? {} : { minVersion }),
    ...(ciphers === "" ? {} : { ciphers }),
  };
}

export function sandboxToMessage(sandbox: RelaySandbox): MessageInitShape<typeof SandboxSchema> {
  return {
    sandboxId: sandbox.sandboxId,
    socketPath: sandbox.socketPath,
    target: sandbox.target,
    state: VM_STATES[sandbox.state],
    shim: SHIM_STATES[sandbox.shim],
    sinceMs: BigInt(sandbox.sinceMs),
    frames: { toVm: BigInt(sandbox.frames.toVm), toShim: BigInt(sandbox.frames.toShim) },
    bytes: { toVm: BigInt(sandbox.bytes.toVm), toShim: BigInt(sandbox.bytes.toShim) },
    reconnects: BigInt(sandbox.reconnects),
    ...(sandbox.firstContainerMs === undefined ? {} : { firstContainerMs: BigInt(sandbox.firstContainerMs) }),
  };
}

/**
 * Reads a sandbox as any version of the relay sends it. What it lacks gets its zero; a state that a newer relay may have
 * added counts as the harmless one, so that nothing is taken down for a word that is not known.
 */
export function sandboxFromMessage(message: Sandbox): RelaySandbox {
  return {
    sandboxId: message.sandboxId,
    socketPath: message.socketPath,
    target: { host: message.target?.host ?? "", port: message.target?.port ?? 0 },
    state: keyOf(VM_STATES, message.state) ?? "connected",
    shim: keyOf(SHIM_STATES, message.shim) ?? "connected",
    sinceMs: Number(message.sinceMs),
    frames: trafficFrom(message.frames),
    bytes: trafficFrom(message.bytes),
    reconnects: Number(message.reconnects),
    ...(message.firstContainerMs === undefined ? {} : { firstContainerMs: Number(message.firstContainerMs) }),
  };
}

export function eventToMessage(event: RelayEvent): MessageInitShape<typeof WatchResponseSchema> {
  return event.type === "changed"
    ? { event: { case: "changed", value: sandboxToMessage(event.sandbox) } }
    : { event: { case: "closed", value: event.sandboxId } };
}

/** Undefined for an event this version does not know. */
export function eventFromMessage({ event }: WatchResponse): RelayEvent | undefined {
  switch (event.case) {
    case "changed":
      return { type: "changed", sandbox: sandboxFromMessage(event.value) };
    case "closed":
      return { type: "closed", sandboxId: event.value };
    case undefined:
      return undefined;
  }
}

function trafficFrom(traffic: Sandbox["frames"]): { readonly toVm: number; readonly toShim: number } {
  return { toVm: Number(traffic?.toVm ?? 0n), toShim: Number(traffic?.toShim ?? 0n) };
}

function keyOf<K extends string, V>(values: Readonly<Record<K, V>>, wanted: unknown): K | undefined {
  return (Object.keys(values) as K[]).find((key) => values[key] === wanted);
}
