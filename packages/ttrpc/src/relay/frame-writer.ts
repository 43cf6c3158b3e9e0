import type { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { FRAME_HEADER_LENGTH, viewOf } from "../wire/frame.ts";
import type { Span } from "../wire/frame.ts";

/** More own frames than this waiting for the frame in progress are a crowd. */
const MAX_WAITING = 64;
/**
 * Bytes that wait in the stream before its source pauses. More than the stream's own mark, so that the next read goes on
 * while a large write is under way; pausing and resuming costs system calls.
 */
const MAX_BUFFERED = 192 << 10;
/**
 * Pieces of a frame wait for this many bytes, or for the end of the turn of the event loop: TLS delivers its records one by
 * one although they were read together, and a write for each costs a system call and wakes the reader.
 */
const ENOUGH = 64 << 10;

/**
 * Writes frames of two origins to one stream: those that pass through, perhaps in pieces, and the relay's own, which
 * must not cut into them. What is handed over leaves with `flush`, neighbouring bytes in one write.
 */
export class FrameWriter {
  readonly #stream: Writable;
  /** What leaves with the next flush, in front of `#last`. */
  readonly #out: Buffer[] = [];
  #last: Span | undefined;
  /** Built only when their turn comes, since stream ids must grow in the order of the wire. */
  readonly #waiting: (() => Buffer | undefined)[] = [];
  #atBoundary = true;
  #bytes = 0;
  #outBytes = 0;
  #flushComes = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** False while a frame is half written. */
  get atBoundary(): boolean {
    return this.#atBoundary;
  }

  /** Whether its source should pause until the stream's `drain`. */
  get full(): boolean {
    return this.#stream.writableNeedDrain && this.#stream.writableLength >= MAX_BUFFERED;
  }

  /** Whether too many own frames wait for the frame in progress. */
  get crowded(): boolean {
    return this.#waiting.length > MAX_WAITING;
  }

  /** Bytes handed over so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A whole frame of the passing kind. */
  frame(frame: Span): void {
    this.#append(frame);
  }

  /** The header of a frame whose body follows by `piece`; what is behind it is not looked at. */
  begin({ bytes, start }: Span): void {
    this.#atBoundary = false;
    this.#append({ bytes, start, end: start + FRAME_HEADER_LENGTH });
  }

  piece(piece: Span, isLast: boolean): void {
    this.#append(piece);
    if (!isLast) return;
    this.#atBoundary = true;
    for (const build of this.#waiting.splice(0)) this.#appendOwn(build);
  }

  /** A frame of the relay's own: now, or as soon as the frame in progress is complete. `build` may give up its turn. */
  own(build: () => Buffer | undefined): void {
    if (this.#atBoundary) this.#appendOwn(build);
    else this.#waiting.push(build);
  }

  /** Hands to the stream what is there: whole frames now, the beginning of one perhaps with what follows in this turn. */
  flush(): void {
    if (this.#atBoundary || this.#outBytes >= ENOUGH) {
      this.#writeOut();
    } else if (!this.#flushComes && this.#outBytes > 0) {
      this.#flushComes = true;
      setImmediate(() => {
        this.#flushComes = false;
        this.#writeOut();
      });
    }
  }

  /** A stream that has ended says so by its own events; nothing is written to it. */
  #writeOut(): void {
    if (this.#last === undefined) return;
    const last = viewOf(this.#last);
    this.#last = undefined;
    this.#outBytes = 0;
    if (this.#out.length === 0) {
      if (this.#stream.writable) this.#stream.write(last);
      return;
    }
    const before = this.#out.splice(0);
    if (!this.#stream.writable) return;
    this.#stream.cork();
    for (const bytes of before) this.#stream.write(bytes);
    this.#stream.write(last);
    this.#stream.uncork();
  }

  #appendOwn(build: () => Buffer | undefined): void {
    const bytes = build();
    if (bytes !== undefined) this.#append({ bytes, start: 0, end: bytes.length });
  }

  #append(next: Span): void {
    const length = next.end - next.start;
    if (length === 0) return;
    this.#bytes += length;
    this.#outBytes += length;
    const last = this.#last;
    // Frames that arrived side by side in one chunk leave as one piece.
    if (last?.bytes === next.bytes && last.end === next.start) {
      this.#last = { bytes: last.bytes, start: last.start, end: next.end };
      return;
    }
    if (last !== undefined) this.#out.push(viewOf(last));
    this.#last = next;
  }
}
