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

/** Bytes where they lie: those of `bytes` from `start` to `end`. */
export interface Span {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * A received frame, or its beginning, header and body, where it lies. The memory may be that of the whole chunk it came in,
 * and is never reused. No view is made before somebody asks for one, since a view
 * costs more than everything else that is done with a small frame.
 */
export class Frame implements FrameHeader, Span {
  readonly length: number;
  readonly streamId: number;
  readonly type: number;
  readonly flags: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;

  /** Decodes the header at `start`, where at least {@link FRAME_HEADER_LENGTH} bytes must be. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.length = uint32At(bytes, start);
    this.streamId = uint32At(bytes, start + 4);
    this.type = bytes[start + 8] ?? 0;
    this.flags = bytes[start + 9] ?? 0;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Where the body begins in `bytes`. */
  get bodyStart(): number {
    return this.start + FRAME_HEADER_LENGTH;
  }

  /** Header and body in one piece, as received: forward it as it is, or after {@link setStreamId}. */
  get raw(): Buffer {
    return viewOf(this);
  }

  /** The body: `raw` without the header. */
  get body(): Buffer {
    return this.bytes.subarray(this.bodyStart, this.end);
  }
}

/** The span as a buffer: mostly it is all of the bytes, and then they need no view. */
export function viewOf({ bytes, start, end }: Span): Buffer {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

/** `readUInt32BE` without its checks; the caller knows that the bytes are there. */
function uint32At(bytes: Buffer, offset: number): number {
  return (
    (bytes[offset] ?? 0) * 0x1_00_00_00 +
    (((bytes[offset + 1] ?? 0) << 16) | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0))
  );
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

/** Gives the frame (or header) at `start` another stream id in place: what a relay does before it passes it on. */
export function setStreamId(bytes: Buffer, streamId: number, start = 0): void {
  bytes[start + 4] = streamId >>> 24;
  bytes[start + 5] = streamId >>> 16;
  bytes[start + 6] = streamId >>> 8;
  bytes[start + 7] = streamId;
}

/** Takes the flags off the frame (or header) at `start` in place. */
export function clearFlags(bytes: Buffer, start = 0): void {
  bytes[start + 9] = 0;
}

/** The text that every implementation gives for a body above {@link MAX_MESSAGE_LENGTH}. */
export function oversizeMessage(length: number): string {
  return `message length ${length} exceed maximum message size of ${MAX_MESSAGE_LENGTH}`;
}
