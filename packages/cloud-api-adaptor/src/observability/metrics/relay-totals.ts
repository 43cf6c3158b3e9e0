import type { RelaySandbox } from "../../sandbox/ports.ts";

/** What the relay has moved since this was made. */
export interface RelayTotals {
  readonly frames: { readonly toVm: number; readonly toShim: number };
  readonly bytes: { readonly toVm: number; readonly toShim: number };
  readonly reconnects: number;
}

type Traffic = Pick<RelaySandbox, "frames" | "bytes" | "reconnects">;
const none: Traffic = { frames: { toVm: 0, toShim: 0 }, bytes: { toVm: 0, toShim: 0 }, reconnects: 0 };

/**
 * Sums up what the relay counts for each sandbox into what has been added since the last look: the relay forgets a
 * sandbox with its counts, and a new relay begins at zero, but a counter must never go back. What a sandbox moved after
 * the last look at it is not counted.
 */
export function createRelayTally(): (sandboxes: readonly RelaySandbox[]) => RelayTotals {
  let seen = new Map<string, Traffic>();
  return (sandboxes) => {
    const added = sandboxes.map((sandbox) => since(sandbox, seen.get(sandbox.sandboxId) ?? none));
    seen = new Map(sandboxes.map((sandbox) => [sandbox.sandboxId, sandbox]));
    return added.reduce(add, none);
  };
}

function since(now: Traffic, before: Traffic): Traffic {
  // Fewer than before: the same id was opened anew.
  const from = now.bytes.toVm < before.bytes.toVm || now.frames.toVm < before.frames.toVm ? none : before;
  return {
    frames: {
      toVm: now.frames.toVm - from.frames.toVm,
      toShim: Math.max(0, now.frames.toShim - from.frames.toShim),
    },
    bytes: {
      toVm: now.bytes.toVm - from.bytes.toVm,
      toShim: Math.max(0, now.bytes.toShim - from.bytes.toShim),
    },
    reconnects: Math.max(0, now.reconnects - from.reconnects),
  };
}

function add(a: Traffic, b: Traffic): Traffic {
  return {
    frames: { toVm: a.frames.toVm + b.frames.toVm, toShim: a.frames.toShim + b.frames.toShim },
    bytes: { toVm: a.bytes.toVm + b.bytes.toVm, toShim: a.bytes.toShim + b.bytes.toShim },
    reconnects: a.reconnects + b.reconnects,
  };
}
