import type { Writable } from "node:stream";

/** One line on a terminal that says what is going on now and since when; nothing where there is no terminal. */
export class PhaseLine implements AsyncDisposable {
  readonly #stream: Writable;
  readonly #live: boolean;
  readonly #startedMs = performance.now();
  #shown = false;

  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream;
    this.#live = stream.isTTY === true;
  }

  show(phase: string): void {
    if (!this.#live) return;
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
    this.#stream.write(`\r\x1b[K${seconds}s  ${phase} ...`);
    this.#shown = true;
    // The container's own output must not stand behind it.
    if (phase === "running") this.clear();
  }

  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[K");
    this.#shown = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.clear();
  }
}
