import type { Clock } from "../clock.ts";
import type { Placement } from "../contract.ts";
import { isProviderError } from "../errors.ts";

/** Remembers for some minutes where the cloud had no machine, so that not every pod finds out anew. */
export interface CapacityMemory {
  /** Notes the outcome of an attempt: `no_capacity` is remembered, a success forgets, everything else changes nothing. */
  note(placement: Placement, outcome: { readonly error?: unknown }): void;
  /** {@link note}s how an attempt ends, and passes it on. */
  follow<Result>(placement: Placement, attempt: Promise<Result>): Promise<Result>;
  /**
   * The placements worth trying, in the given order. When all of them were refused lately, the one whose refusal is the
   * oldest: an empty answer would never find out that there is capacity again.
   */
  worthTrying(placements: readonly Placement[]): readonly Placement[];
}

/** @param options.rememberMs how long a refusal counts; default 5 minutes. */
export function createCapacityMemory({
  clock,
  rememberMs = 300_000,
}: {
  readonly clock: Clock;
  readonly rememberMs?: number;
}): CapacityMemory {
  const refusedAt = new Map<string, number>();
  const key = ({ instanceType, zone }: Placement) => JSON.stringify([instanceType, zone]);
  const refusal = (placement: Placement) => {
    const at = refusedAt.get(key(placement));
    return at !== undefined && clock.now() - at < rememberMs ? at : undefined;
  };
  const note = (placement: Placement, { error }: { readonly error?: unknown }) => {
    if (error === undefined) refusedAt.delete(key(placement));
    else if (isProviderError(error) && error.code === "no_capacity")
      refusedAt.set(key(placement), clock.now());
  };
  return {
    note,
    async follow(placement, attempt) {
      try {
        const result = await attempt;
        note(placement, {});
        return result;
      } catch (error) {
        note(placement, { error });
        throw error;
      }
    },
    worthTrying(placements) {
      const fresh = placements.filter((placement) => refusal(placement) === undefined);
      if (fresh.length > 0) return fresh;
      return placements.toSorted((a, b) => (refusal(a) ?? 0) - (refusal(b) ?? 0)).slice(0, 1);
    },
  };
}
