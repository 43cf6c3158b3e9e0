/** Longest delay that timers take; more would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Calls `onElapsed` after `delayMs`, however long that is, and returns what cancels it. The timer does not keep the
 * process alive: the connection it watches does.
 */
export function startTimer(delayMs: number, onElapsed: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    const step = Math.min(left, MAX_DELAY_MS);
    timer = setTimeout(() => (left > step ? arm(left - step) : onElapsed()), step).unref();
  };
  arm(delayMs);
  return () => clearTimeout(timer);
}
