import { expect, it } from "vitest";
import { RelayError } from "../relay/errors.ts";
import { FakeRelay } from "../sandbox/testing/fake-relay.ts";
import { patient } from "../sandbox/testing/world.ts";
import { createLastingRelay } from "./lasting-relay.ts";

function brokenOnce() {
  const relay = new FakeRelay(() => 0);
  let alive = false;
  let starts = 0;
  relay.before = async () => {
    if (!alive) throw new RelayError("unavailable", "no relay answers");
  };
  const ensure = async () => {
    starts += 1;
    await Promise.resolve();
    alive = true;
  };
  return { relay, lasting: createLastingRelay(relay, ensure), starts: () => starts };
}

it("starts a new relay once for all calls that find none, and makes them again", async () => {
  const { lasting, starts } = brokenOnce();
  expect(
    await Promise.all([lasting.list(patient), lasting.close("a", patient), lasting.list(patient)]),
  ).toEqual([[], undefined, []]);
  expect(starts()).toBe(1);
});

it("leaves every other failure to the caller", async () => {
  const { relay, lasting, starts } = brokenOnce();
  relay.before = async () => {
    throw new RelayError("refused", "wrong certificate");
  };
  await expect(lasting.list(patient)).rejects.toMatchObject({ code: "refused" });
  expect(starts()).toBe(0);
});

it("fails when the new relay does not answer either", async () => {
  const relay = new FakeRelay(() => 0);
  relay.before = async () => {
    throw new RelayError("unavailable", "no relay answers");
  };
  let starts = 0;
  const lasting = createLastingRelay(relay, async () => void (starts += 1));
  await expect(lasting.list(patient)).rejects.toMatchObject({ code: "unavailable" });
  expect(starts).toBe(1);
});

it("starts nothing for a caller that is gone", async () => {
  const { lasting, starts } = brokenOnce();
  await expect(lasting.list({ signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
  expect(starts()).toBe(0);
});
