import type { Answer } from "./http-server.ts";

/** What health is judged by, as it is now. */
export interface HealthFacts {
  /** When the API server last answered; milliseconds since the epoch. */
  readonly lastContactMs: number | undefined;
  readonly leading: boolean;
  /** Whether a leader has read configuration and PeerPods once. */
  readonly synced: boolean;
  /** Why the caches may be out of date, and since when. */
  readonly stale: { readonly sinceMs: number; readonly error: unknown } | undefined;
  /** Keys in work and for how long. */
  readonly inWork: readonly { readonly key: string; readonly forMs: number }[];
}

/** A reconcile that takes longer than its own deadline and this has got stuck. */
const STUCK_MARGIN_MS = 120_000;
const READY_WITHIN_MS = 60_000;

/**
 * Alive: no worker is stuck, so a restart would not help. An API server that is away is no reason to restart.
 * @param options.limitMs longest time a reconcile may take by its own deadlines.
 */
export function liveness(facts: HealthFacts, { limitMs }: { readonly limitMs: number }): Answer {
  const stuck = facts.inWork.find(({ forMs }) => forMs > limitMs + STUCK_MARGIN_MS);
  if (stuck === undefined) return { status: 200, text: "ok\n" };
  return {
    status: 503,
    text: `reconcile of ${stuck.key} has been stuck for ${Math.round(stuck.forMs / 1_000)} s\n`,
  };
}

/** Ready: a leader's caches are read and current; a replica that stands by has an API server that answers. */
export function readiness(facts: HealthFacts, nowMs: number): Answer {
  const { lastContactMs, leading, synced, stale } = facts;
  if (lastContactMs === undefined) return { status: 503, text: "the API server has not answered yet\n" };
  if (!leading) {
    const silentMs = nowMs - lastContactMs;
    if (silentMs <= READY_WITHIN_MS) return { status: 200, text: "ok, standing by\n" };
    return { status: 503, text: `the API server has not answered for ${Math.round(silentMs / 1_000)} s\n` };
  }
  if (!synced) return { status: 503, text: `leading, but not all is read yet${causeOf(stale)}\n` };
  if (stale !== undefined && nowMs - stale.sinceMs > READY_WITHIN_MS)
    return { status: 503, text: `caches are out of date${causeOf(stale)}\n` };
  return { status: 200, text: "ok, leading\n" };
}

function causeOf(stale: HealthFacts["stale"]): string {
  return stale?.error instanceof Error ? `: ${stale.error.message}` : "";
}
