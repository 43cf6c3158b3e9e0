import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { FRAME_HEADER_LENGTH, MAX_MESSAGE_LENGTH, oversizeMessage, writeFrameHeader } from "../wire/frame.ts";
import type { FrameHeader } from "../wire/frame.ts";

/** Serializes a message, given whole or as its initial values; one that cannot be is INTERNAL. */
export function encodeMessage<T extends DescMessage>(schema: T, message: MessageInitShape<T>): Uint8Array {
  try {
    return toBinary(schema, create(schema, message));
  } catch (error) {
    throw internalError("ttrpc: error marshalling payload", error);
  }
}

/** Parses a message; bytes that are none are INTERNAL, in the words of the Go implementation. */
export function decodeMessage<T extends DescMessage>(schema: T, bytes: Uint8Array): MessageShape<T> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw internalError("ttrpc: error unmarshalling payload", error);
  }
}

/** A failure that no status of the peer describes. */
export function internalError(what: string, error: unknown): ConnectError {
  const detail = error instanceof Error ? error.message : String(error);
  return new ConnectError(`${what}: ${detail}`, Code.Internal, undefined, undefined, error);
}

/** What a body above the limit of 4 MiB is answered with, or fails with. */
export function oversizeError(length: number): ConnectError {
  return new ConnectError(oversizeMessage(length), Code.ResourceExhausted);
}

/** Throws {@link oversizeError} if the body of a frame, whose header is in front of it, is above the limit. */
export function assertFrameSize(frame: Buffer): void {
  const length = frame.length - FRAME_HEADER_LENGTH;
  if (length > MAX_MESSAGE_LENGTH) throw oversizeError(length);
}

/** A frame around a serialized message, its header still free. Throws {@link oversizeError}. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_LENGTH + message.length);
  assertFrameSize(frame);
  frame.set(message, FRAME_HEADER_LENGTH);
  return frame;
}

/** Fills in the header that was left free in front of a body. */
export function completeFrame(frame: Buffer, header: Omit<FrameHeader, "length">): Buffer {
  writeFrameHeader(frame, { length: frame.length - FRAME_HEADER_LENGTH, ...header });
  return frame;
}
