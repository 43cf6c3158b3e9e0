/**
 * What goes wrong with a call. `reset_after` and `hang_after`: the cloud acts, and the answer is lost. `hang` never answers
 * and never acts. `{ code, status }`: the cloud refuses with this code.
 */
export type FaultKind =
  | "throttle"
  | "server_error"
  | "reset_before"
  | "reset_after"
  | "hang"
  | "hang_after"
  | { readonly code: string; readonly status: number };

/** A fault and the calls it hits. */
export interface Fault {
  readonly kind: FaultKind;
  /** Only calls of this operation, by the cloud's name; default: all. */
  readonly action?: string;
  /** Lets so many matching calls pass first; default 0. */
  readonly after?: number;
  /** How many calls it hits; default 1, `Infinity` for good. */
  readonly times?: number;
}

/** A fault that is armed; disposing disarms it. */
export interface ArmedFault extends Disposable {
  readonly hits: number;
  /** Resolves with its first hit; for `hang_after`, once the cloud has acted. */
  readonly reached: Promise<void>;
}

/** What hits a call. */
export interface Hit {
  readonly kind: FaultKind;
  reach(): void;
}

/** The faults that are armed. */
export class FaultPlan {
  readonly #armed = new Set<{ fault: Fault; seen: number; hit: () => void; reach: () => void }>();

  add(fault: Fault): ArmedFault {
    let hits = 0;
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    const entry = { fault, seen: 0, hit: () => void (hits += 1), reach: resolve };
    this.#armed.add(entry);
    return {
      get hits() {
        return hits;
      },
      reached,
      [Symbol.dispose]: () => void this.#armed.delete(entry),
    };
  }

  clear(): void {
    this.#armed.clear();
  }

  /** Counts a call for every armed fault, and returns what hits it, the first armed first. */
  next(action: string): Hit | undefined {
    let hit: Hit | undefined;
    for (const entry of this.#armed) {
      const { kind, action: only, after = 0, times = 1 } = entry.fault;
      if (only !== undefined && only !== action) continue;
      entry.seen += 1;
      if (entry.seen <= after || entry.seen > after + times || hit !== undefined) continue;
      entry.hit();
      hit = { kind, reach: entry.reach };
    }
    return hit;
  }
}
