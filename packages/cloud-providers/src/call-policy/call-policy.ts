import { systemClock, type Clock } from "../clock.ts";
import type { CallContext } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import { backoffMs } from "./backoff.ts";
import { createCircuitBreaker, type CircuitBreaker } from "./circuit-breaker.ts";
import { createTokenBucket, type TokenBucket } from "./token-bucket.ts";

/** Limits of one account in one region. Every number has a default. */
export interface CallPolicyOptions {
  /** What the limits belong to, for messages: e.g. `aws 123456789012 eu-central-1`. */
  readonly scope: string;
  /** Default: the machine's time. */
  readonly clock?: Clock;
  /** Default: `Math.random`. */
  readonly random?: () => number;
  /** Default: 20 calls at once, 10 a second. */
  readonly bucket?: { readonly capacity: number; readonly refillPerSecond: number };
  /** Tries of one call, the SDK's own included, and the waits between ours. Default: 5 tries, 200 ms doubling up to 20 s. */
  readonly retry?: { readonly maxTries: number; readonly baseMs: number; readonly maxMs: number };
  /** Default: 8 failures in a row open the circuit for 30 s. */
  readonly breaker?: { readonly failures: number; readonly openMs: number };
}

/** What is called, and what a repetition of it may do. */
export interface CloudOperation {
  /** The cloud's name of the call, e.g. `RunInstances`. */
  readonly name: string;
  /**
   * `repeatable`: reads, deletions and creations with an idempotency token; they are repeated after any retryable failure.
   * `once`: everything else; it is repeated only after `throttled`, when the cloud has surely not acted.
   */
  readonly repeat: "repeatable" | "once";
  /** It begins something that more calls will have to finish or undo, so it waits behind all that do not. Default false. */
  readonly begins?: boolean;
}

/** What one try is given. */
export interface Try {
  readonly signal: AbortSignal;
  /** From 1. */
  readonly number: number;
  /** Tells how many requests the SDK made for this try, when it repeats by itself. They count as tries and as calls. */
  requests(count: number): void;
}

/** The one way to the cloud: rate, repetition and circuit of all calls of an account in a region. */
export interface CallPolicy {
  /**
   * Makes a call and repeats it where that is safe and fits into the caller's deadline.
   * @param attempt one try; what it throws is a ProviderError (converted at the SDK boundary), else it ends the call as `internal`.
   * @throws ProviderError the last failure; `throttled` when our own limit leaves no room before the deadline;
   * `circuit_open`; on abort `signal.reason`.
   */
  run<Result>(
    operation: CloudOperation,
    attempt: (one: Try) => Promise<Result>,
    call: Pick<CallContext, "signal" | "deadline" | "logger">,
  ): Promise<Result>;
  readonly breaker: Pick<CircuitBreaker, "state">;
  readonly bucket: Pick<TokenBucket, "level">;
}

export function createCallPolicy({
  scope,
  clock = systemClock,
  random = Math.random,
  bucket: rate = { capacity: 20, refillPerSecond: 10 },
  retry = { maxTries: 5, baseMs: 200, maxMs: 20_000 },
  breaker: limits = { failures: 8, openMs: 30_000 },
}: CallPolicyOptions): CallPolicy {
  const bucket = createTokenBucket({ clock, ...rate });
  const breaker = createCircuitBreaker({ clock, scope, ...limits });

  async function once<Result>(
    operation: CloudOperation,
    attempt: (one: Try) => Promise<Result>,
    one: Try,
  ): Promise<Result> {
    breaker.enter();
    try {
      const result = await attempt(one);
      breaker.leave({ operation: operation.name });
      return result;
    } catch (thrown) {
      const error = ProviderError.from(thrown, operation.name);
      breaker.leave({ operation: operation.name, error });
      throw error;
    }
  }

  return {
    bucket,
    breaker,
    async run(operation, attempt, { signal, deadline = Infinity, logger }) {
      let tries = 0;
      for (let number = 1; ; number++) {
        await bucket.take({ signal, deadline, begins: operation.begins ?? false });
        tries += 1;
        const requests = (count: number) => {
          const unseen = Math.max(0, count - 1);
          tries += unseen;
          bucket.debit(unseen);
        };
        try {
          return await once(operation, attempt, { signal, number, requests });
        } catch (thrown) {
          signal.throwIfAborted();
          const error = ProviderError.from(thrown);
          if (!mayRepeat(operation, error) || tries >= retry.maxTries) throw error;
          const waitMs = backoffMs(number, error.retryAfterMs ?? 0, { ...retry, random });
          if (clock.now() + waitMs >= deadline) throw error;
          logger.debug({ operation: operation.name, tries, waitMs, err: error }, "repeating a cloud call");
          await clock.sleep(waitMs, { signal });
        }
      }
    },
  };
}

/** One policy for each account and region of a process, so that several providers share its limits. */
export function createCallPolicies(options: Omit<CallPolicyOptions, "scope"> = {}): {
  readonly of: (scope: string) => CallPolicy;
} {
  const policies = new Map<string, CallPolicy>();
  return {
    of(scope) {
      const policy = policies.get(scope) ?? createCallPolicy({ ...options, scope });
      policies.set(scope, policy);
      return policy;
    },
  };
}

function mayRepeat({ repeat }: CloudOperation, { code, retryable }: ProviderError): boolean {
  return retryable && (repeat === "repeatable" || code === "throttled");
}
