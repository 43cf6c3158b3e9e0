import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../sandbox/ports.ts";

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, { signal }) => {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      // Node reports every abort alike; the reason is what callers want.
      signal.throwIfAborted();
      throw error;
    }
  },
};
