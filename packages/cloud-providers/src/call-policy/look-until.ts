import type { Clock } from "../clock.ts";
import { ProviderError } from "../errors.ts";

/** Looks at most so often: with the usual pause, three quarters of an hour. Callers have a shorter deadline. */
const MAX_LOOKS = 900;

/**
 * Looks until there is an answer, with a pause before every look but the first.
 * @throws ProviderError `timeout` when it never comes; `signal.reason` on abort.
 */
export async function lookUntil<Result>(
  what: string,
  look: () => Promise<Result | undefined>,
  { clock, pollMs, signal }: { readonly clock: Clock; readonly pollMs: number; readonly signal: AbortSignal },
): Promise<Result> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    if (looks > 0) await clock.sleep(pollMs, { signal });
    const result = await look();
    if (result !== undefined) return result;
  }
  throw new ProviderError("timeout", `${what}: not after ${MAX_LOOKS} looks`);
}
