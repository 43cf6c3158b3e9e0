import type { Buffer } from "node:buffer";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertFrameSize } from "../connection/messages.ts";
import { FRAME_HEADER_LENGTH } from "../wire/frame.ts";
import { encodeRequest } from "../wire/request.ts";
import type { Metadata } from "../wire/request.ts";

/** What every kind of call is made with. */
export interface CallInit {
  readonly service: string;
  readonly method: string;
  readonly metadata: Metadata;
  readonly signal: AbortSignal | undefined;
  /** Time for the whole call in milliseconds; undefined is none. */
  readonly timeoutMs: number | undefined;
}

/** Longest timeout that fits in int64 nanoseconds; a longer one is none. */
const MAX_TIMEOUT_MS = 2 ** 63 / 1e6;

/** The moment, on the clock of `performance.now`, when the time of a call that starts now is over. */
export function deadlineOf({ timeoutMs }: CallInit): number | undefined {
  return timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
}

/** Time left until `deadline` as it goes on the wire, where 0 means no deadline. */
function timeoutNanoUntil(deadline: number | undefined): bigint {
  if (deadline === undefined) return 0n;
  const leftMs = deadline - performance.now();
  return leftMs >= MAX_TIMEOUT_MS ? 0n : BigInt(Math.max(1, Math.round(leftMs * 1e6)));
}

/** A Request frame with its header still free, or RESOURCE_EXHAUSTED if the envelope is above the limit. */
export function encodeRequestFrame(
  init: CallInit,
  payload: Uint8Array,
  deadline: number | undefined,
): Buffer {
  const { service, method, metadata } = init;
  const timeoutNano = timeoutNanoUntil(deadline);
  const frame = encodeRequest({ service, method, payload, timeoutNano, metadata }, FRAME_HEADER_LENGTH);
  assertFrameSize(frame);
  return frame;
}

/** The peer broke the protocol in a way that concerns one call. */
export function protocolError(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.Internal);
}
