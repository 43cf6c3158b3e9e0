import { createCallPolicy, type CallPolicy } from "../call-policy/call-policy.ts";
import type { DrivenClock } from "./driven-clock.ts";

/**
 * The policy with which a provider is tried against a stand-in of its cloud, on a clock that stands still during each
 * call.
 * @param options.repeat calls as in production; default: each fault is a failure of the call, so that none is hidden by a repetition.
 */
export function createKitPolicy(
  clock: DrivenClock,
  { scope, repeat = false }: { readonly scope: string; readonly repeat?: boolean },
): CallPolicy {
  const once = {
    bucket: { capacity: 1_000, refillPerSecond: 1_000 },
    retry: { maxTries: 1, baseMs: 1, maxMs: 1 },
    breaker: { failures: 10_000, openMs: 1 },
  };
  return clock.watch(createCallPolicy({ scope, clock, random: () => 0.5, ...(repeat ? {} : once) }));
}
