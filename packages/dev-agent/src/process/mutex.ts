import { orAborted } from "../or-aborted.ts";

/** Lets one in at a time, in the order of asking. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Waits for one's turn; disposing what it returns ends the turn. Giving up while waiting leaves the order intact. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const before = this.#last;
    const { promise: turn, resolve: leave } = Promise.withResolvers<void>();
    this.#last = before.then(() => turn);
    try {
      await orAborted(before, signal);
    } catch (error) {
      leave();
      throw error;
    }
    return { [Symbol.dispose]: leave };
  }
}
