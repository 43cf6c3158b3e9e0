import type { Placement } from "../contract.ts";
import { ProviderError, isProviderError } from "../errors.ts";

/** Candidates in the order they are tried: for each type, best first, every zone. No zones: the cloud's default zone. */
export function placementsOf(types: readonly string[], zones: readonly string[]): readonly Placement[] {
  const tried = zones.length === 0 ? [""] : zones;
  return types.flatMap((instanceType) => tried.map((zone) => ({ instanceType, zone })));
}

/**
 * Tries one placement after the other until one is not refused with `no_capacity`, and returns its result.
 * @param attempt makes the instance there. Each call must use a token of its own; `index` counts from 0.
 * @throws whatever ends the walk; when every placement was refused, ProviderError `no_capacity` that lists them, its
 * `left` the sum of theirs. `signal` is looked at before each attempt.
 */
export async function walkPlacements<Result>(
  placements: readonly Placement[],
  attempt: (placement: Placement, index: number) => Promise<Result>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Result> {
  const refusals: ProviderError[] = [];
  for (const [index, placement] of placements.entries()) {
    signal.throwIfAborted();
    try {
      return await attempt(placement, index);
    } catch (error) {
      if (!isProviderError(error) || error.code !== "no_capacity") throw error;
      refusals.push(error);
    }
  }
  const tried = placements.map(
    ({ instanceType, zone }) => `${instanceType} in ${zone === "" ? "the default zone" : zone}`,
  );
  throw new ProviderError(
    "no_capacity",
    tried.length === 0 ? "there is no placement to try" : `no capacity anywhere; tried ${tried.join(", ")}`,
    { cause: refusals.at(-1), left: refusals.flatMap(({ left }) => left) },
  );
}
