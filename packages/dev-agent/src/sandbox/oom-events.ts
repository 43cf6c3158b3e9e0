import { internal } from "../errors.ts";
import { orAborted } from "../or-aborted.ts";
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
    for (;;) {
      if (this.#closed) throw internal('""');
      const id = this.#pending.shift();
      if (id !== undefined) return id;
      this.#wake = Promise.withResolvers<void>();
      await orAborted(this.#wake.promise, signal);
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake.resolve();
  }
}
