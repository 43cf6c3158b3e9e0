import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Buffer } from "node:buffer";
import { Code, ConnectError } from "@connectrpc/connect";
import { FRAME_HEADER_LENGTH, MAX_MESSAGE_LENGTH, oversizeMessage } from "../wire/frame.ts";
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

/** Time left until `deadline` (on the clock of `performance.now`) as it goes on the wire, where 0 means no deadline. */
export function timeoutNanoUntil(deadline: number | undefined): bigint {
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

/** Throws RESOURCE_EXHAUSTED with the text that all implementations use if a frame's body is above the limit. */
export function assertFrameSize(frame: Buffer): void {
  const length = frame.length - FRAME_HEADER_LENGTH;
  if (length > MAX_MESSAGE_LENGTH) throw new ConnectError(oversizeMessage(length), Code.ResourceExhausted);
}

/** Serializes a request message; one that cannot be is INTERNAL. */
export function encodeMessage<T extends DescMessage>(schema: T, message: MessageInitShape<T>): Uint8Array {
  try {
    return toBinary(schema, create(schema, message));
  } catch (error) {
    throw localError("ttrpc: error marshalling payload", error);
  }
}

/** Parses a response message; one that cannot be parsed is INTERNAL. */
export function decodeMessage<T extends DescMessage>(schema: T, bytes: Uint8Array): MessageShape<T> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw localError("ttrpc: error unmarshalling payload", error);
  }
}

/** A failure on this side that no status of the peer describes. */
export function localError(what: string, error: unknown): ConnectError {
  const detail = error instanceof Error ? error.message : String(error);
  return new ConnectError(`${what}: ${detail}`, Code.Internal, undefined, undefined, error);
}

/** The peer broke the protocol in a way that concerns one call. */
export function protocolError(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.Internal);
}
