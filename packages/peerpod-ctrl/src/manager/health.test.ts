import { expect, it } from "vitest";
import { liveness, readiness, type HealthFacts } from "./health.ts";

const now = 1_000_000;
const well: HealthFacts = {
  lastContactMs: now - 1_000,
  leading: true,
  synced: true,
  stale: undefined,
  inWork: [],
};

it.each([
  ["leading and current", {}, 200],
  ["leading with a watch that is quiet for long", { lastContactMs: now - 200_000 }, 200],
  ["standing by", { leading: false, synced: false }, 200],
  ["before the first answer", { lastContactMs: undefined }, 503],
  ["standing by without an API server", { leading: false, lastContactMs: now - 61_000 }, 503],
  ["leading, nothing read yet", { synced: false }, 503],
  ["a short break of the watch", { stale: { sinceMs: now - 1_000, error: new Error("reset") } }, 200],
  ["a long one", { stale: { sinceMs: now - 61_000, error: new Error("reset") } }, 503],
] as const)("readiness: %s", (_why, change, status) => {
  expect(readiness({ ...well, ...change }, now).status).toBe(status);
});

it("readiness names the cause", () => {
  const stale = { sinceMs: 0, error: new Error("cannot list peerpods") };
  expect(readiness({ ...well, stale }, now).text).toContain("cannot list peerpods");
});

it("liveness fails only for a reconcile that its own deadlines should have ended", () => {
  const inWork = (forMs: number) => ({ ...well, inWork: [{ key: "default/a", forMs }] });
  expect(liveness(inWork(700_000), { limitMs: 600_000 }).status).toBe(200);
  expect(liveness(inWork(721_000), { limitMs: 600_000 })).toMatchObject({
    status: 503,
    text: expect.stringContaining("default/a"),
  });
  expect(liveness({ ...well, lastContactMs: 0 }, { limitMs: 1 }).status).toBe(200);
});
