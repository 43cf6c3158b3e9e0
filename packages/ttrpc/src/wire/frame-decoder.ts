import { Buffer } from "node:buffer";
import { FRAME_HEADER_LENGTH, Frame, MAX_MESSAGE_LENGTH } from "./frame.ts";
import type { FrameHeader, Span } from "./frame.ts";

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
   * are there: `head` ends behind at least those bytes. Default: `gather`. Who chooses `pieces` may change the ten bytes of
   * the header in place and pass them on in front of the first piece, mostly without a gap.
   */
  onHead?(head: Frame): Delivery;
  /**
   * A piece of a body for which `onHead` chose `pieces`, with the number of body bytes still to come: 0 marks the
   * last one. An empty body gives one empty piece.
   */
  onPiece?(header: FrameHeader, piece: Span, remaining: number): void;
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
  /** Header and body so far of the frame being collected. Between frames it must not hold on to Node's shared 8 KiB. */
  #partial: Buffer = NOTHING;
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
        this.#header === undefined ? this.#begin(bytes, offset) : this.#advance(this.#header, bytes, offset);
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
      const length = bytes.readUInt32BE(offset);
      const end = bodyStart + length;
      if (length <= this.#maxLength && end <= bytes.length) {
        this.#deliverWhole(new Frame(bytes, offset, end));
        return end;
      }
      if (length <= this.#maxLength && bytes.length - bodyStart >= this.#headLength) {
        this.#openWithin(new Frame(bytes, offset, bytes.length));
        return bodyStart;
      }
    }
    const next = this.#fill(bytes, offset, FRAME_HEADER_LENGTH);
    if (this.#filled === FRAME_HEADER_LENGTH) this.#open(this.#collected());
    return next;
  }

  #deliverWhole(frame: Frame): void {
    this.#frames++;
    switch (this.#sink.onHead?.(frame) ?? "gather") {
      case "gather":
        this.#sink.onFrame(frame);
        break;
      case "pieces":
        this.#sink.onPiece?.(frame, bodyOf(frame), 0);
        break;
      case "skip":
        break;
    }
  }

  /** Begins a frame whose head, but not all of it, is in the chunk. Takes the header only; the body goes on as decided. */
  #openWithin(head: Frame): void {
    const delivery = this.#sink.onHead?.(head) ?? "gather";
    // Not the frame itself, which would keep the whole chunk as long as the rest does not come.
    const { length, streamId, type, flags } = head;
    this.#header = { length, streamId, type, flags };
    this.#delivery = delivery;
    if (delivery === "gather") this.#fill(head.bytes, head.start, FRAME_HEADER_LENGTH);
    else this.#remaining = head.length;
  }

  /** Begins a frame of which the header alone has been collected. */
  #open(header: Frame): void {
    this.#header = header;
    if (header.length > this.#maxLength) {
      this.#delivery = "skip";
      this.#remaining = header.length;
      this.#sink.onOversize(header);
    } else if (this.#headTarget(header) === FRAME_HEADER_LENGTH) {
      this.#decide(header);
    }
  }

  /** Takes what the open frame can use of the chunk. Returns the next offset. */
  #advance(header: FrameHeader, bytes: Buffer, offset: number): number {
    if (this.#delivery === "pieces" || this.#delivery === "skip") return this.#passOn(header, bytes, offset);
    const gathering = this.#delivery === "gather";
    const target = gathering ? FRAME_HEADER_LENGTH + header.length : this.#headTarget(header);
    const next = this.#fill(bytes, offset, target);
    if (this.#filled === target) {
      if (gathering) this.#finish();
      else this.#decide(header);
    }
    return next;
  }

  /** Asks the sink, now that the head is collected, and hands over what is already there. */
  #decide(header: FrameHeader): void {
    const head = this.#collected();
    const delivery = this.#sink.onHead?.(head) ?? "gather";
    this.#delivery = delivery;
    const remaining = FRAME_HEADER_LENGTH + header.length - head.end;
    if (delivery === "gather") {
      if (remaining === 0) this.#finish();
      return;
    }
    this.#remaining = remaining;
    if (remaining === 0) this.#endFrame();
    if (delivery !== "pieces") return;
    // The collected bytes now belong to the sink, which may keep them.
    this.#partial = NOTHING;
    if (head.end > head.bodyStart || remaining === 0) this.#sink.onPiece?.(header, bodyOf(head), remaining);
  }

  #passOn(header: FrameHeader, bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#remaining);
    const remaining = this.#remaining - (end - offset);
    const piecewise = this.#delivery === "pieces";
    this.#remaining = remaining;
    if (remaining === 0) this.#endFrame();
    if (piecewise) this.#sink.onPiece?.(header, { bytes, start: offset, end }, remaining);
    return end;
  }

  /** Copies until `target` bytes of header and body are collected or the chunk ends. Returns the next offset. */
  #fill(bytes: Buffer, offset: number, target: number): number {
    const count = Math.min(target - this.#filled, bytes.length - offset);
    const needed = this.#filled + count;
    if (needed > this.#partial.length) {
      const grown = Buffer.allocUnsafe(Math.min(target, needed * GROWTH));
      this.#partial.copy(grown, 0, 0, this.#filled);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#filled, offset, offset + count);
    this.#filled = needed;
    return offset + count;
  }

  #finish(): void {
    const frame = this.#collected();
    this.#endFrame();
    this.#sink.onFrame(frame);
  }

  /** What has been collected of the open frame. */
  #collected(): Frame {
    return new Frame(this.#partial, 0, this.#filled);
  }

  /** Body bytes plus header to collect before the sink is asked. */
  #headTarget(header: FrameHeader): number {
    return FRAME_HEADER_LENGTH + Math.min(header.length, this.#headLength);
  }

  #endFrame(): void {
    this.#frames++;
    this.#partial = NOTHING;
    this.#filled = 0;
    this.#header = undefined;
    this.#delivery = undefined;
    this.#remaining = 0;
  }
}

function bodyOf({ bytes, bodyStart, end }: Frame): Span {
  return { bytes, start: bodyStart, end };
}
