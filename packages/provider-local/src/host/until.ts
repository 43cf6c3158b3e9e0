import { setTimeout as delay } from "node:timers/promises";

export interface UntilOptions {
  /** What is awaited, for the error: "the processes of local-0123 end". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks again and again, 2 ms apart at first and 50 ms at last, until the answer is yes.
 * For kernel state that announces nothing. Rejects after the time, or with the signal's reason.
 */
export async function until(condition: () => Promise<boolean>, options: UntilOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (let pauseMs = 2; !(await condition()); pauseMs = Math.min(pauseMs * 1.5, 50)) {
    options.signal?.throwIfAborted();
    if (performance.now() > deadline)
      throw new Error(`waited ${options.timeoutMs} ms in vain for this: ${options.what}`);
    await delay(pauseMs);
  }
}
