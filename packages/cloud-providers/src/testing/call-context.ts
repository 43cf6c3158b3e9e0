import type { Clock } from "../clock.ts";
import type { CallContext } from "../contract.ts";
import { silentLogger, type Logger } from "../logger.ts";

/** A {@link CallContext} whose deadline runs on the given clock. Dispose it to stop its timer. */
export interface TimedCall extends CallContext, Disposable {
  readonly deadline: number;
  /** Ends the call as a caller does that is gone. */
  abort(): void;
  /** Ends the call as its deadline does, without waiting for it. */
  expire(): void;
}

/** @param options.timeoutMs default 10 minutes, on the clock; then `signal` aborts with a `TimeoutError`. */
export function timedCall(
  clock: Clock,
  {
    timeoutMs = 600_000,
    logger = silentLogger,
  }: { readonly timeoutMs?: number; readonly logger?: Logger } = {},
): TimedCall {
  const controller = new AbortController();
  const expire = () =>
    controller.abort(new DOMException(`the call's ${timeoutMs} ms are over`, "TimeoutError"));
  const stop = new AbortController();
  clock.sleep(timeoutMs, { signal: stop.signal }).then(expire, () => undefined);
  return {
    signal: controller.signal,
    deadline: clock.now() + timeoutMs,
    logger,
    abort: () => controller.abort(new DOMException("the caller is gone", "AbortError")),
    expire,
    [Symbol.dispose]: () => stop.abort(),
  };
}
