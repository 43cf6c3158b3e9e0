import type { Writable } from "node:stream";
import { orAborted } from "../or-aborted.ts";

/** What is written to a process. */
export class InputStream {
  readonly #sink: Writable;
  readonly #closes: boolean;

  /** @param options.closes whether closing reaches the process; the input of a terminal stays open. */
  constructor(sink: Writable, options: { readonly closes: boolean }) {
    this.#sink = sink;
    this.#closes = options.closes;
  }

  /** Waits until the process's pipe has taken all bytes. Rejects when the process no longer reads. */
  async write(data: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#sink.write(data, (error) => {
      if (error) reject(error);
      else resolve();
    });
    await orAborted(promise, signal);
  }

  /** End of file for the process, after what was written. Can be repeated. */
  close(): void {
    if (this.#closes) this.#sink.end();
  }

  /** Lets the pipe go; what is not yet written is lost. Can be repeated. */
  destroy(): void {
    this.#sink.destroy();
  }
}
