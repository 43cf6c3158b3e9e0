import { FakeCloudError, type CloudErrorCode } from "./cloud-error.ts";
import type { ApiStep } from "./model.ts";

/**
 * What goes wrong with a call. `reset_before` and `reset_after` look the same to the caller; after the second one the
 * cloud has acted. `hang` never answers and does not act, `hang_after` acts first.
 */
export type FaultKind =
  | "throttle"
  | "server_error"
  | "reset_before"
  | "reset_after"
  | "no_capacity"
  | "quota"
  | "unauthorized"
  | "hang"
  | "hang_after";

/** A fault and the calls it hits. */
export interface Fault {
  readonly kind: FaultKind;
  /** Only calls of this step; default: every step. */
  readonly step?: ApiStep;
  /** Lets so many matching calls pass first; default 0. */
  readonly after?: number;
  /** How many calls it hits; default 1, `Infinity` for good. */
  readonly times?: number;
}

/** A fault that waits for its calls. Disposing disarms it. */
export interface ArmedFault extends Disposable {
  /** Calls that it has hit. */
  readonly hits: number;
  /** Resolves at the first hit. */
  readonly reached: Promise<void>;
}

interface Armed {
  readonly fault: Fault;
  seen: number;
  hits: number;
  readonly hit: () => void;
}

/** The faults that are armed. */
export class FaultPlan {
  readonly #armed = new Set<Armed>();

  add(fault: Fault): ArmedFault {
    const { promise: reached, resolve: hit } = Promise.withResolvers<void>();
    const entry: Armed = { fault, seen: 0, hits: 0, hit };
    this.#armed.add(entry);
    return {
      reached,
      get hits() {
        return entry.hits;
      },
      [Symbol.dispose]: () => void this.#armed.delete(entry),
    };
  }

  clear(): void {
    this.#armed.clear();
  }

  /** Counts a call for every armed fault, and returns what hits it, the first armed first. */
  next(step: ApiStep): FaultKind | undefined {
    let kind: FaultKind | undefined;
    for (const entry of this.#armed) {
      const { step: only = step, after = 0, times = 1 } = entry.fault;
      if (only !== step) continue;
      entry.seen += 1;
      if (entry.seen <= after || entry.seen > after + times) continue;
      entry.hits += 1;
      entry.hit();
      kind ??= entry.fault.kind;
    }
    return kind;
  }
}

const answers: Readonly<Partial<Record<FaultKind, CloudErrorCode>>> = {
  throttle: "RequestLimitExceeded",
  server_error: "InternalError",
  reset_before: "ConnectionReset",
  reset_after: "ConnectionReset",
  no_capacity: "InsufficientInstanceCapacity",
  quota: "LimitExceeded",
  unauthorized: "AuthFailure",
};

/** The answer to a call that a fault has hit. */
export function faultAnswer(kind: FaultKind, step: ApiStep): FakeCloudError {
  const code = answers[kind] ?? "ConnectionReset";
  return new FakeCloudError(code, `${step}: injected ${kind}`);
}
