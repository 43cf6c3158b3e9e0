import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CallTable } from "./call-table.ts";
import type { RelayedCall } from "./call-table.ts";

function newCall(downstreamId: number, length: number): RelayedCall {
  return {
    downstreamId,
    ifLost: "reissue",
    phase: "waiting",
    upstreamId: 0,
    frame: length === 0 ? undefined : Buffer.alloc(length),
    givenUp: undefined,
    arrivedAt: 0,
    next: undefined,
  };
}

/** What is done to the table next; `at` chooses the call, of those that it can be done to. */
const stepArbitrary = fc.record({
  kind: fc.constantFrom("hold", "send", "markSent", "markLost", "remove"),
  at: fc.nat(),
  length: fc.nat({ max: 3 }),
});

test("finds each call that is there and no other, in the order of arrival, and counts what they hold", () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 400 }), (steps) => {
      const table = new CallTable();
      const there = new Set<RelayedCall>();
      const gone: RelayedCall[] = [];
      let downstreamId = -1;
      let upstreamId = -1;
      for (const { kind, at, length } of steps) {
        const isNew = kind === "hold" || kind === "send";
        const candidates = [...there].filter(({ phase }) =>
          kind === "markSent" ? phase === "waiting" : kind === "markLost" ? phase === "sent" : true,
        );
        const call = isNew ? newCall((downstreamId += 2), length) : candidates[at % candidates.length];
        if (call === undefined) continue;
        if (kind === "hold") table.hold(call);
        if (kind === "send") table.send(call, (upstreamId += 2));
        if (kind === "markSent") table.markSent(call, (upstreamId += 2));
        if (kind === "markLost") table.markLost(call);
        if (kind === "remove") table.remove(call);
        if (isNew) there.add(call);
        if (kind === "remove" && there.delete(call)) gone.push(call);
      }
      const inOrder = [...there].sort((a, b) => a.downstreamId - b.downstreamId);
      expect([...table]).toEqual(inOrder);
      expect(table.size).toBe(there.size);
      expect(table.retainedBytes).toBe(inOrder.reduce((sum, { frame }) => sum + (frame?.length ?? 0), 0));
      for (const call of there) expect(table.has(call)).toBe(true);
      for (const call of gone) {
        table.remove(call);
        expect(table.has(call)).toBe(false);
      }
      expect(table.size).toBe(there.size);
      for (let id = 1; id <= upstreamId; id += 2) {
        const expected = inOrder.find((call) => call.phase === "sent" && call.upstreamId === id);
        expect(table.onUpstream(id)).toBe(expected);
      }
    }),
  );
});
