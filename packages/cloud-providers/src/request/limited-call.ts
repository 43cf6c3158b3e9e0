import type { Clock } from "../clock.ts";
import type { CallContext } from "../contract.ts";
import type { Logger } from "../logger.ts";

/** A call with a time of its own, on the given clock. Dispose it to stop its timer. */
export function limitedCall(
  clock: Clock,
  { timeoutMs, logger }: { readonly timeoutMs: number; readonly logger: Logger },
): CallContext & Disposable {
  const over = new AbortController();
  const stop = new AbortController();
  clock.sleep(timeoutMs, { signal: stop.signal }).then(
    () => over.abort(new DOMException(`${timeoutMs} ms are over`, "TimeoutError")),
    () => undefined,
  );
  return {
    signal: over.signal,
    deadline: clock.now() + timeoutMs,
    logger,
    [Symbol.dispose]: () => stop.abort(),
  };
}
