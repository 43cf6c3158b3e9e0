/** Limits of the waits between tries. */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0 up to, not including, 1. */
  readonly random: () => number;
}

/**
 * Wait before the next try: a random part of a span that doubles with each failure (full jitter), so that many callers
 * that failed together do not come back together; at least what the cloud asked for.
 * @param failures tries that failed so far, from 1.
 */
export function backoffMs(
  failures: number,
  retryAfterMs: number,
  { baseMs, maxMs, random }: BackoffOptions,
): number {
  const span = Math.min(maxMs, baseMs * 2 ** (failures - 1));
  return retryAfterMs + random() * span;
}
