import type { Clock } from "../clock.ts";
import { ProviderError, type ProviderErrorCode } from "../errors.ts";

/** When a {@link CircuitBreaker} opens, and for how long. */
export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** What the circuit leads to, for messages: e.g. `aws 123456789012 eu-central-1`. */
  readonly scope: string;
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly openMs: number;
}

/**
 * Stops calling what does not answer. Closed: calls go out. Open after too many failures in a row: calls are refused
 * with the reason. Half open once `openMs` are over: one call goes out; its success closes, its failure opens again.
 */
export interface CircuitBreaker {
  readonly state: "closed" | "open" | "half-open";
  /** Asks to make a call. @throws ProviderError `circuit_open` that says since when, why, and until when. */
  enter(): void;
  /** Tells how the call ended, once for each {@link enter}. */
  leave(outcome: { readonly operation: string; readonly error?: ProviderError }): void;
}

/** Failures of the cloud or of the way to it. A refusal is an answer, and an abort says nothing about the cloud. */
const failureCodes: ReadonlySet<ProviderErrorCode> = new Set(["unavailable", "timeout"]);

export function createCircuitBreaker({
  clock,
  scope,
  failures,
  openMs,
}: CircuitBreakerOptions): CircuitBreaker {
  let inARow = 0;
  let openedAt: number | undefined;
  let probing = false;
  let why = "";
  const reopensAt = () => (openedAt ?? 0) + openMs;
  return {
    get state() {
      if (openedAt === undefined) return "closed";
      return clock.now() < reopensAt() ? "open" : "half-open";
    },
    enter() {
      if (openedAt === undefined) return;
      const waitMs = Math.max(0, reopensAt() - clock.now());
      if (waitMs > 0 || probing) {
        const until = probing ? "until a probe is answered" : `until ${new Date(reopensAt()).toISOString()}`;
        throw new ProviderError(
          "circuit_open",
          `${scope} is not called ${until}: ${inARow} failures in a row up to ${new Date(openedAt).toISOString()}, the last ${why}`,
          { retryAfterMs: waitMs },
        );
      }
      probing = true;
    },
    leave({ operation, error }) {
      probing = false;
      // Nothing was learnt; a half-open circuit stays so, and the next call is the probe.
      if (error?.code === "aborted") return;
      if (error === undefined || !failureCodes.has(error.code)) {
        inARow = 0;
        openedAt = undefined;
        return;
      }
      inARow += 1;
      why = `${operation}: ${error.message}`;
      if (inARow >= failures) openedAt = clock.now();
    },
  };
}
