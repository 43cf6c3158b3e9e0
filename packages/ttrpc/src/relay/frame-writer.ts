import type { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { FRAME_HEADER_LENGTH, viewOf } from "../wire/frame.ts";

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
  /** What leaves with the next flush, but for its end: `#bytes` from `#start` to `#end`. */
  readonly #out: Buffer[] = [];
  #bytes: Buffer | undefined;
  #start = 0;
  #end = 0;
  /** Built only when their turn comes, since stream ids must grow in the order of the wire. */
  readonly #waiting: (() => Buffer | undefined)[] = [];
  #atBoundary = true;
  #total = 0;
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
    return this.#total;
  }

  /** A whole frame of the passing kind: `bytes` from `start` to `end`. */
  frame(bytes: Buffer, start: number, end: number): void {
    this.#append(bytes, start, end);
  }

  /** The header, at `start`, of a frame whose body follows by `piece`. */
  begin(bytes: Buffer, start: number): void {
    this.#atBoundary = false;
    this.#append(bytes, start, start + FRAME_HEADER_LENGTH);
  }

  piece(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    this.#append(bytes, start, end);
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
    if (this.#bytes === undefined) return;
    const last = viewOf(this.#bytes, this.#start, this.#end);
    this.#bytes = undefined;
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
    const frame = build();
    if (frame !== undefined) this.#append(frame, 0, frame.length);
  }

  #append(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#total += end - start;
    this.#outBytes += end - start;
    // Frames that arrived side by side in one chunk leave as one piece.
    if (this.#bytes === bytes && this.#end === start) {
      this.#end = end;
      return;
    }
    if (this.#bytes !== undefined) this.#out.push(viewOf(this.#bytes, this.#start, this.#end));
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }
}
