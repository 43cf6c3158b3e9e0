import { beforeAbort } from "./before-abort.ts";

/** One caller at a time for each key, in the order in which they came. */
export interface KeyedLock {
  /**
   * Waits for the key; disposing the result passes it on.
   * @throws `signal.reason` when aborted while waiting.
   */
  acquire(key: string, signal: AbortSignal): Promise<Disposable>;
}

/** For providers: two creations with one token must not undo each other's work. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>();
  return {
    async acquire(key, signal) {
      signal.throwIfAborted();
      const before = tails.get(key);
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const tail = (before ?? Promise.resolve()).then(() => released);
      tails.set(key, tail);
      const leave = () => {
        release();
        if (tails.get(key) === tail) tails.delete(key);
      };
      try {
        if (before !== undefined) await beforeAbort(before, signal);
      } catch (error) {
        leave();
        throw error;
      }
      return { [Symbol.dispose]: leave };
    },
  };
}
