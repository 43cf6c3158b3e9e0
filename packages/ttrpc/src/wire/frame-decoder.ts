import { Buffer } from "node:buffer";
import { FRAME_HEADER_LENGTH, MAX_MESSAGE_LENGTH, readFrameHeader } from "./frame.ts";
import type { Frame, FrameHeader } from "./frame.ts";

/** How the body of one frame is delivered: whole, in pieces as it arrives, or not at all. */
export type Delivery = "gather" | "pieces" | "skip";

/** Where a {@link FrameDecoder} delivers what it finds. Calls come from within `push`, in wire order. */
export interface FrameSink {
  /** A whole frame. */
  onFrame(frame: Frame): void;
  /** A frame whose body is above the limit. The body is dropped as it arrives and never gathered. */
  onOversize(header: FrameHeader): void;
  /**
   * Decides about a frame once its header and the first `headLength` bytes of its body (or all of it, if shorter)
   * are there. `head` holds at least those bytes, perhaps more. Default: `gather`. `raw` begins with the ten bytes of the
   * header; who chooses `pieces` may change them and pass them on in front of the first piece, mostly without a gap.
   */
  onHead?(header: FrameHeader, head: Buffer, raw: Buffer): Delivery;
  /**
   * A piece of a body for which `onHead` chose `pieces`, with the number of body bytes still to come: 0 marks the
   * last one. An empty body gives one empty piece.
   */
  onPiece?(header: FrameHeader, piece: Buffer, remaining: number): void;
}

export interface FrameDecoderOptions {
  /** Longest body delivered, in bytes. Default {@link MAX_MESSAGE_LENGTH}. */
  readonly maxLength?: number;
  /** Body bytes that `onHead` wants to see, at most. Default 0: it decides on the header alone. */
  readonly headLength?: number;
}

/** A buffer grows to this multiple of what has arrived, so that an announced length alone costs no memory. */
const GROWTH = 8;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames, however it is split.
 *
 * A frame that lies within one chunk is delivered without a copy; others are copied once into a buffer that grows with
 * what has arrived. Memory is bounded by one body of `maxLength`. Nothing in the input makes it throw; what a sink
 * throws leaves the decoder unusable.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #maxLength: number;
  readonly #headLength: number;
  /** Header and body so far of the frame being collected. */
  #partial: Buffer = Buffer.allocUnsafe(FRAME_HEADER_LENGTH);
  #filled = 0;
  /** Header of the unfinished frame, once its ten bytes are there. */
  #header: FrameHeader | undefined;
  /** How its body is delivered; undefined until the head is there. */
  #delivery: Delivery | undefined;
  /** Body bytes of a `pieces` or `skip` frame still to come. */
  #remaining = 0;
  #stopped = false;
  #frames = 0;

  constructor(sink: FrameSink, options: FrameDecoderOptions = {}) {
    this.#sink = sink;
    this.#maxLength = options.maxLength ?? MAX_MESSAGE_LENGTH;
    this.#headLength = options.headLength ?? 0;
  }

  /** Whether a frame has begun and not ended; at the end of the stream it means truncation. */
  get midFrame(): boolean {
    return this.#filled > 0 || this.#header !== undefined;
  }

  /** Frames that are complete so far, also those that were skipped. */
  get frames(): number {
    return this.#frames;
  }

  /** Takes the next bytes of the stream. They are kept, not copied, where a frame lies within them. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let offset = 0;
    while (!this.#stopped && offset < bytes.length) {
      offset =
        this.#header === undefined
          ? this.#begin(bytes, offset)
          : this.#advance(this.#header, bytes.subarray(offset)) + offset;
    }
  }

  /** Ends delivery at once, also from within a sink's call; later input is ignored. */
  stop(): void {
    this.#stopped = true;
  }

  /** Takes a frame from within the chunk if all of it is there, else its header. Returns the next offset. */
  #begin(bytes: Buffer, offset: number): number {
    const bodyStart = offset + FRAME_HEADER_LENGTH;
    if (this.#filled === 0 && bodyStart <= bytes.length) {
      const header = readFrameHeader(bytes, offset);
      const end = bodyStart + header.length;
      if (header.length <= this.#maxLength && end <= bytes.length) {
        // Nearly always the chunk is the frame, and then it needs no view.
        const isAll = offset === 0 && end === bytes.length;
        this.#deliverWhole(header, isAll ? bytes : bytes.subarray(offset, end));
        return end;
      }
      if (header.length <= this.#maxLength && bytes.length - bodyStart >= this.#headLength) {
        this.#openWithin(header, bytes.subarray(offset));
        return bodyStart;
      }
    }
    const taken = this.#fill(bytes.subarray(offset), FRAME_HEADER_LENGTH);
    if (this.#filled === FRAME_HEADER_LENGTH) this.#open(readFrameHeader(this.#partial));
    return offset + taken;
  }

  #deliverWhole(header: FrameHeader, raw: Buffer): void {
    this.#frames++;
    const head = this.#headLength === 0 ? NOTHING : raw.subarray(FRAME_HEADER_LENGTH);
    switch (this.#sink.onHead?.(header, head, raw) ?? "gather") {
      case "gather":
        this.#sink.onFrame(new ReceivedFrame(header, raw));
        break;
      case "pieces":
        this.#sink.onPiece?.(header, raw.subarray(FRAME_HEADER_LENGTH), 0);
        break;
      case "skip":
        break;
    }
  }

  /** Begins a frame whose head, but not all of it, is in `rest`. Takes the header only; the body goes on as decided. */
  #openWithin(header: FrameHeader, rest: Buffer): void {
    const head = this.#headLength === 0 ? NOTHING : rest.subarray(FRAME_HEADER_LENGTH);
    const delivery = this.#sink.onHead?.(header, head, rest) ?? "gather";
    this.#header = header;
    this.#delivery = delivery;
    if (delivery === "gather") this.#fill(rest, FRAME_HEADER_LENGTH);
    else this.#remaining = header.length;
  }

  /** Begins a frame of which the header alone has been collected. */
  #open(header: FrameHeader): void {
    this.#header = header;
    if (header.length > this.#maxLength) {
      this.#delivery = "skip";
      this.#remaining = header.length;
      this.#sink.onOversize(header);
    } else if (this.#headTarget(header) === FRAME_HEADER_LENGTH) {
      this.#decide(header);
    }
  }

  /** Takes what the open frame can use of `bytes` and returns how much that was. */
  #advance(header: FrameHeader, bytes: Buffer): number {
    if (this.#delivery === "pieces" || this.#delivery === "skip") return this.#passOn(header, bytes);
    const gathering = this.#delivery === "gather";
    const target = gathering ? FRAME_HEADER_LENGTH + header.length : this.#headTarget(header);
    const taken = this.#fill(bytes, target);
    if (this.#filled === target) {
      if (gathering) this.#finish(header);
      else this.#decide(header);
    }
    return taken;
  }

  /** Asks the sink, now that the head is collected, and hands over what is already there. */
  #decide(header: FrameHeader): void {
    const head = this.#partial.subarray(FRAME_HEADER_LENGTH, this.#filled);
    const delivery = this.#sink.onHead?.(header, head, this.#partial) ?? "gather";
    this.#delivery = delivery;
    const remaining = header.length - head.length;
    if (delivery === "gather") {
      if (remaining === 0) this.#finish(header);
      return;
    }
    this.#remaining = remaining;
    if (remaining === 0) this.#endFrame();
    if (delivery !== "pieces") return;
    this.#releasePartial();
    if (head.length > 0 || remaining === 0) this.#sink.onPiece?.(header, head, remaining);
  }

  #passOn(header: FrameHeader, bytes: Buffer): number {
    const count = Math.min(bytes.length, this.#remaining);
    const remaining = this.#remaining - count;
    const piecewise = this.#delivery === "pieces";
    this.#remaining = remaining;
    if (remaining === 0) this.#endFrame();
    if (piecewise) this.#sink.onPiece?.(header, bytes.subarray(0, count), remaining);
    return count;
  }

  /** Copies until `target` bytes of header and body are collected or `bytes` ends. Returns the number copied. */
  #fill(bytes: Buffer, target: number): number {
    const count = Math.min(target - this.#filled, bytes.length);
    const needed = this.#filled + count;
    if (needed > this.#partial.length) {
      const grown = Buffer.allocUnsafe(Math.min(target, needed * GROWTH));
      this.#partial.copy(grown, 0, 0, this.#filled);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#filled, 0, count);
    this.#filled = needed;
    return count;
  }

  #finish(header: FrameHeader): void {
    const raw = this.#partial.subarray(0, this.#filled);
    this.#releasePartial();
    this.#endFrame();
    this.#sink.onFrame(new ReceivedFrame(header, raw));
  }

  /** Body bytes plus header to collect before the sink is asked. */
  #headTarget(header: FrameHeader): number {
    return FRAME_HEADER_LENGTH + Math.min(header.length, this.#headLength);
  }

  /** The collected bytes now belong to the sink, which may keep them: collect the next frame elsewhere. */
  #releasePartial(): void {
    this.#partial = Buffer.allocUnsafe(FRAME_HEADER_LENGTH);
  }

  #endFrame(): void {
    this.#frames++;
    this.#filled = 0;
    this.#header = undefined;
    this.#delivery = undefined;
    this.#remaining = 0;
  }
}

class ReceivedFrame implements Frame {
  readonly length: number;
  readonly streamId: number;
  readonly type: number;
  readonly flags: number;
  readonly raw: Buffer;

  constructor(header: FrameHeader, raw: Buffer) {
    this.length = header.length;
    this.streamId = header.streamId;
    this.type = header.type;
    this.flags = header.flags;
    this.raw = raw;
  }

  get body(): Buffer {
    return this.raw.subarray(FRAME_HEADER_LENGTH);
  }
}
