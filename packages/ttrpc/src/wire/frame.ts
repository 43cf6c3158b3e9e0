import { Buffer } from "node:buffer";

/** Length of the header in front of every frame body, in bytes. */
export const FRAME_HEADER_LENGTH = 10;

/** Longest frame body, inclusive, in bytes: 4 MiB. It bounds the whole envelope, not only the rpc message in it. */
export const MAX_MESSAGE_LENGTH = 4 << 20;

/** Highest stream id a client may use; the id field is an unsigned 32-bit number and client ids are odd. */
export const MAX_STREAM_ID = 0xff_ff_ff_ff;

/** What a frame is, byte 8 of its header. */
export const MessageType = {
  /** Client to server: opens a stream. The body is a request envelope. */
  Request: 1,
  /** Server to client: ends a stream. The body is a response envelope. */
  Response: 2,
  /** Either way, on streaming calls only. The body is a bare serialized message. */
  Data: 3,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Bits of byte 9 of a frame header. */
export const FrameFlag = {
  /** On Request and Data: the sender sends no more on this stream. */
  RemoteClosed: 1,
  /** On Request: the call is streaming and the client is going to send Data. */
  RemoteOpen: 2,
  /** On Data: the frame carries no message (unlike an empty body, which is an all-default message). */
  NoData: 4,
} as const;

/** The ten bytes in front of a frame body, decoded. `type` is as received and need not be a known one. */
export interface FrameHeader {
  /** Length of the body in bytes. */
  readonly length: number;
  readonly streamId: number;
  readonly type: number;
  readonly flags: number;
}

/** A whole received frame. Its bytes may share memory with the chunk they came in; they are never reused. */
export interface Frame extends FrameHeader {
  /** Header and body in one piece, as received: forward it as it is, or after {@link setStreamId}. */
  readonly raw: Buffer;
  /** The body: `raw` without the header. */
  readonly body: Buffer;
}

/** Decodes the header at `offset`, where at least {@link FRAME_HEADER_LENGTH} bytes must follow. */
export function readFrameHeader(bytes: Buffer, offset = 0): FrameHeader {
  return {
    length: bytes.readUInt32BE(offset),
    streamId: bytes.readUInt32BE(offset + 4),
    type: bytes.readUInt8(offset + 8),
    flags: bytes.readUInt8(offset + 9),
  };
}

/** Writes `header` into the first ten bytes of `target`. */
export function writeFrameHeader(target: Buffer, header: FrameHeader): void {
  target.writeUInt32BE(header.length, 0);
  target.writeUInt32BE(header.streamId, 4);
  target.writeUInt8(header.type, 8);
  target.writeUInt8(header.flags, 9);
}

/** The ten header bytes alone, for a body that follows in pieces. */
export function encodeFrameHeader(header: FrameHeader): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_LENGTH);
  writeFrameHeader(bytes, header);
  return bytes;
}

/** Header and body in one buffer; the length field comes from the body, which is copied. `flags` defaults to 0. */
export function encodeFrame(
  header: { readonly streamId: number; readonly type: MessageType; readonly flags?: number },
  body: Uint8Array,
): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_LENGTH + body.length);
  writeFrameHeader(frame, {
    length: body.length,
    streamId: header.streamId,
    type: header.type,
    flags: header.flags ?? 0,
  });
  frame.set(body, FRAME_HEADER_LENGTH);
  return frame;
}

/** Gives a frame (or a header) another stream id in place: what a relay does before it passes `raw` on. */
export function setStreamId(raw: Buffer, streamId: number): void {
  raw.writeUInt32BE(streamId, 4);
}

/** The text that every implementation gives for a body above {@link MAX_MESSAGE_LENGTH}. */
export function oversizeMessage(length: number): string {
  return `message length ${length} exceed maximum message size of ${MAX_MESSAGE_LENGTH}`;
}
