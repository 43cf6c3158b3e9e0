import { expect, it } from "vitest";
import type { RelaySandbox } from "../../sandbox/ports.ts";
import { createRelayTally } from "./relay-totals.ts";

const sandbox = (sandboxId: string, count: number, reconnects = 0): RelaySandbox => ({
  sandboxId,
  socketPath: "/s",
  target: { host: "192.0.2.1", port: 1 },
  state: "connected",
  shim: "connected",
  sinceMs: 0,
  frames: { toVm: count, toShim: count * 2 },
  bytes: { toVm: count * 10, toShim: count * 20 },
  reconnects,
});
const totals = (count: number, reconnects = 0) => ({
  frames: { toVm: count, toShim: count * 2 },
  bytes: { toVm: count * 10, toShim: count * 20 },
  reconnects,
});

it("counts what was added since the last look, never less than nothing", () => {
  const tally = createRelayTally();
  expect(tally([sandbox("a", 3), sandbox("b", 2)])).toEqual(totals(5));
  expect(tally([sandbox("a", 3), sandbox("b", 2)])).toEqual(totals(0));
  expect(tally([sandbox("a", 7, 1), sandbox("b", 2)])).toEqual(totals(4, 1));
  // One is gone, one came.
  expect(tally([sandbox("a", 8, 1), sandbox("c", 1)])).toEqual(totals(2));
  // A new relay, where everything begins at zero.
  expect(tally([sandbox("a", 1)])).toEqual(totals(1));
  expect(tally([])).toEqual(totals(0));
});
