import type { Readable } from "node:stream";
import { Mutex } from "./mutex.ts";

const EMPTY = new Uint8Array();

/** How long output may still come after the process has ended, from others that hold its pipe. */
const DRAIN_MS = 500;
/** After that time a pause of this length is the end: what lay in the pipe arrives without one. */
const PAUSE_MS = 20;
/** ... and no more than a pipe can hold, or a chatty child would keep its dead parent from being noticed. */
const DRAIN_BYTES = 1024 * 1024;

/** What a process writes, read in pieces as somebody asks for it. */
export class OutputStream {
  readonly #source: Readable;
  readonly #atEnd: () => void;
  readonly #turn = new Mutex();
  /** Set when the process has ended: when to stop waiting for more, on the monotonic clock. */
  #drainUntil = Number.POSITIVE_INFINITY;
  #drainBytes = DRAIN_BYTES;

  /** @param atEnd called for each read at the end of the output; it may throw what the reader is to get. */
  constructor(source: Readable, atEnd: () => void = () => {}) {
    this.#source = source;
    this.#atEnd = atEnd;
    // Makes the source fill its buffer, and so see its end, before the first read.
    source.on("readable", () => {
      if (source.readableLength === 0) source.read(0);
    });
  }

  /** Calls back when nobody holds the other end any more and all was read, or the stream was destroyed. */
  onceEnded(callback: () => void): void {
    this.#source.once("end", callback).once("close", callback);
  }

  /**
   * Waits for output and takes at most `maxBytes` of it. Empty means the end. Readers take turns.
   * An aborted read takes nothing.
   */
  async read(maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    using _turn = await this.#turn.enter(signal);
    for (;;) {
      signal.throwIfAborted();
      const piece = this.#take(maxBytes);
      if (piece.length > 0) return piece;
      if (this.#isOver() || !(await this.#more(signal))) {
        this.#source.destroy();
        this.#atEnd();
        return EMPTY;
      }
    }
  }

  /** To be called when the process has ended: output is waited for only a little longer. */
  drain(): void {
    this.#drainUntil = performance.now() + DRAIN_MS;
    // Wakes a reader that waits without a limit.
    this.#source.emit("readable");
  }

  /** Lets the source go, with what was not read. Can be repeated. */
  destroy(): void {
    this.#source.destroy();
  }

  #take(maxBytes: number): Uint8Array {
    const available = Math.min(this.#source.readableLength, maxBytes);
    // read(0) takes nothing, but lets an empty source go on to its end.
    const piece = (this.#source.read(available) as Buffer | null) ?? EMPTY;
    if (performance.now() > this.#drainUntil) this.#drainBytes -= piece.length;
    return piece;
  }

  #isOver(): boolean {
    return this.#source.readableEnded || this.#source.destroyed || this.#drainBytes <= 0;
  }

  /** Waits until a look at the source is worth it; false when the time for that is up. */
  async #more(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    const events = ["readable", "end", "close"] as const;
    for (const event of events) this.#source.on(event, wake);
    signal.addEventListener("abort", wake, { once: true });
    const left = Math.max(this.#drainUntil - performance.now(), PAUSE_MS);
    const timer = Number.isFinite(left) ? setTimeout(() => resolve(false), left) : undefined;
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      for (const event of events) this.#source.off(event, wake);
      signal.removeEventListener("abort", wake);
    }
  }
}
