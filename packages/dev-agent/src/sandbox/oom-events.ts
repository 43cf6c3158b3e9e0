import { internal } from "../errors.ts";
import { Mutex } from "../process/mutex.ts";

/** Container ids of OOM kills that nobody has fetched yet. More than this many are as good as this many. */
const MAX_PENDING = 100;

/** The queue behind GetOOMEvent. Those who wait take turns. */
export class OomEvents {
  readonly #pending: string[] = [];
  readonly #turn = new Mutex();
  #wake = Promise.withResolvers<void>();
  #closed = false;

  push(containerId: string): void {
    if (this.#pending.length < MAX_PENDING) this.#pending.push(containerId);
    this.#wake.resolve();
  }

  /**
   * Waits for the next event.
   * @throws ConnectError INTERNAL `""` when the sandbox ends; that is what the real agent answers.
   */
  async next(signal: AbortSignal): Promise<string> {
    using _turn = await this.#turn.enter(signal);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        if (this.#closed) throw internal('""');
        const id = this.#pending.shift();
        if (id !== undefined) return id;
        this.#wake = Promise.withResolvers<void>();
        await Promise.race([this.#wake.promise, aborted]);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake.resolve();
  }
}
