import type { Socket } from "node:net";
import pRetry from "p-retry";
import { reasonOf, RelayError } from "../errors.ts";
import { TimeLimit } from "../time-limit.ts";
import { connectForwarder, UnansweredError } from "./attempt.ts";
import { formatTarget } from "./forwarder.ts";
import type { Forwarder } from "./forwarder.ts";
import { isTrustFailure } from "./tls-failure.ts";

/** Delays between attempts. */
export interface DialPolicy {
  /** After the first failed attempt; each further one waits 1.1 times as long. Default 20. */
  readonly minDelayMs: number;
  /** Default 5 000. */
  readonly maxDelayMs: number;
  /**
   * Limit of one attempt, so that packets lost while the VM boots cost little. Default 5 000.
   */
  readonly attemptTimeoutMs: number;
  /**
   * With TLS 1.3 a server judges the client's certificate after the client's handshake is over, and some then close
   * without a word. When nothing else has happened for so long, it is taken for a refusal. Default 3 000.
   */
  readonly refusalAfterMs: number;
}

export const defaultDialPolicy: DialPolicy = {
  minDelayMs: 20,
  maxDelayMs: 5_000,
  attemptTimeoutMs: 5_000,
  refusalAfterMs: 3_000,
};

export interface DialOptions {
  readonly signal: AbortSignal;
  /** Limit of all attempts together. */
  readonly timeoutMs: number;
  readonly policy?: DialPolicy | undefined;
}

const GROWTH = 1.1;

/**
 * Reaches a forwarder, again and again until it answers or the time is over.
 * @throws RelayError `unreachable` when the time is over (the latest failure is its cause), `refused` at once when the two
 * ends do not trust each other; or `signal.reason`.
 */
export async function dialForwarder(forwarder: Forwarder, options: DialOptions): Promise<Socket> {
  const { signal, timeoutMs, policy = defaultDialPolicy } = options;
  using limit = new TimeLimit(timeoutMs);
  const overall = AbortSignal.any([signal, limit.signal]);
  let latest: unknown;
  let closedSince: number | undefined;
  const isRefusal = (error: unknown): boolean =>
    isTrustFailure(error) ||
    (forwarder.tls !== undefined &&
      closedSince !== undefined &&
      performance.now() - closedSince >= policy.refusalAfterMs);
  const attempt = async (): Promise<Socket> => {
    using attemptLimit = new TimeLimit(policy.attemptTimeoutMs);
    return await connectForwarder(forwarder, { signal: AbortSignal.any([overall, attemptLimit.signal]) });
  };
  try {
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: policy.minDelayMs,
      maxTimeout: policy.maxDelayMs,
      factor: GROWTH,
      signal: overall,
      onFailedAttempt: ({ error }) => {
        if (overall.aborted) return;
        latest = error;
        closedSince = error instanceof UnansweredError ? (closedSince ?? performance.now()) : undefined;
      },
      shouldRetry: ({ error }) => !isRefusal(error),
    });
  } catch (error) {
    signal.throwIfAborted();
    const target = formatTarget(forwarder.target);
    if (isTrustFailure(error)) {
      throw new RelayError("refused", `TLS with the forwarder at ${target} failed: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    if (isRefusal(error)) {
      throw new RelayError(
        "refused",
        `the forwarder at ${target} closes each connection after the handshake, as if it did not accept our certificate`,
        { cause: error },
      );
    }
    throw new RelayError(
      "unreachable",
      `the forwarder at ${target} did not answer within ${timeoutMs} ms${latest === undefined ? "" : `: ${reasonOf(latest)}`}`,
      { cause: latest ?? error },
    );
  }
}
