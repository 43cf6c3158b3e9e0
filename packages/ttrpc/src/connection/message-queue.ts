import { Code, ConnectError } from "@connectrpc/connect";
import { startTimer } from "./timers.ts";

/** How much of one stream is kept for a reader that is slower than its peer. */
export interface StreamBufferLimits {
  /** Messages kept before reading from the connection stops. Default 64. */
  readonly maxBufferedMessages?: number;
  /** Bytes kept before reading from the connection stops. Default 4 MiB. */
  readonly maxBufferedBytes?: number;
  /**
   * ttrpc has no flow control per stream, so a full buffer stops the whole connection. If the reader then takes
   * nothing for this time, in milliseconds, the stream fails with RESOURCE_EXHAUSTED and the others go on.
   * Default 10 000; 0 is no limit.
   */
  readonly streamStallTimeoutMs?: number;
}

export interface MessageQueueOptions {
  readonly limits: StreamBufferLimits;
  /** Stops reading from the connection; returns what lets it go on. */
  readonly hold: () => () => void;
  /** The reader stalled: the stream has failed with this error. */
  readonly onStall: (error: ConnectError) => void;
}

/** Serialized messages of one stream on their way from the connection to its reader. */
export class MessageQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #options: MessageQueueOptions;
  readonly #messages: Uint8Array[] = [];
  readonly #readers: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>>[] = [];
  #bytes = 0;
  /** What comes after the last message: the end, or an error. */
  #outcome: { readonly error?: unknown } | undefined;
  #release: (() => void) | undefined;
  #cancelStall: (() => void) | undefined;

  constructor(options: MessageQueueOptions) {
    this.#options = options;
  }

  /** Adds a message. Ignored after the end. */
  push(message: Uint8Array): void {
    if (this.#outcome !== undefined) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: message });
      return;
    }
    this.#messages.push(message);
    this.#bytes += message.length;
    if (this.#isFull()) this.#block();
  }

  /** No more messages come; those already here are still delivered, then the end, or `error`. */
  end(error?: unknown): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = error === undefined ? {} : { error };
    this.#unblock();
    for (const reader of this.#readers.splice(0)) this.#settle(reader);
  }

  /** As `end`, and what was not delivered yet is dropped. */
  abort(error: unknown): void {
    this.#messages.length = 0;
    this.#bytes = 0;
    this.end(error);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#bytes -= message.length;
      if (this.#release !== undefined) {
        this.#unblock();
        if (this.#isFull()) this.#block();
      }
      return Promise.resolve({ done: false, value: message });
    }
    const reader = Promise.withResolvers<IteratorResult<Uint8Array, undefined>>();
    if (this.#outcome === undefined) this.#readers.push(reader);
    else this.#settle(reader);
    return reader.promise;
  }

  /** The reader wants no more. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#messages.length = 0;
    this.#bytes = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #settle(reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>>): void {
    if (this.#outcome !== undefined && "error" in this.#outcome) reader.reject(this.#outcome.error);
    else reader.resolve({ done: true, value: undefined });
  }

  #isFull(): boolean {
    const { maxBufferedMessages = 64, maxBufferedBytes = 4 << 20 } = this.#options.limits;
    return this.#messages.length >= maxBufferedMessages || this.#bytes >= maxBufferedBytes;
  }

  #block(): void {
    if (this.#release !== undefined) return;
    const { limits, hold, onStall } = this.#options;
    this.#release = hold();
    const stallMs = limits.streamStallTimeoutMs ?? 10_000;
    if (stallMs === 0) return;
    this.#cancelStall = startTimer(stallMs, () => {
      const error = new ConnectError(
        `ttrpc: stream buffer full: the reader took nothing for ${stallMs} ms`,
        Code.ResourceExhausted,
      );
      this.abort(error);
      onStall(error);
    });
  }

  #unblock(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    this.#release?.();
    this.#release = undefined;
  }
}
