import { expect, it } from "vitest";
import { timedCall } from "./call-context.ts";
import { FakeClock } from "./fake-clock.ts";

it("fires timers in order, and those that they set, but none beyond", async () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  const wake = (name: string) => () => void fired.push(`${name}@${clock.now()}`);
  void clock.sleep(20).then(wake("b"));
  void clock
    .sleep(10)
    .then(() => clock.sleep(5))
    .then(wake("a"));
  void clock.sleep(31).then(wake("c"));
  await clock.advance(30);
  expect(fired).toEqual(["a@15", "b@20"]);
  expect([clock.now(), clock.pending]).toEqual([30, 1]);
});

it("runs a promise to its end without real time", async () => {
  const clock = new FakeClock(0);
  await expect(clock.runUntil(clock.sleep(86_400_000).then(() => clock.now()))).resolves.toBe(86_400_000);
  await expect(clock.runUntil(clock.sleep(1).then(() => Promise.reject(new Error("x"))))).rejects.toThrow(
    "x",
  );
});

it("says so when nothing is left to wait for", async () => {
  const clock = new FakeClock();
  await expect(clock.runUntil(new Promise(() => undefined), { realMs: 20 })).rejects.toThrow(/no timer/);
});

it("forgets an aborted sleeper and rejects with the reason", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const sleep = clock.sleep(10, controller);
  controller.abort(new Error("gone"));
  await expect(sleep).rejects.toThrow("gone");
  await expect(clock.sleep(10, controller)).rejects.toThrow("gone");
  expect(clock.pending).toBe(0);
});

it("ends a call at its deadline, and leaves no timer when the call is over before", async () => {
  const clock = new FakeClock(0);
  const call = timedCall(clock, { timeoutMs: 50 });
  expect(call.deadline).toBe(50);
  await clock.advance(50);
  expect(call.signal.reason).toMatchObject({ name: "TimeoutError" });
  {
    using other = timedCall(clock);
    other.abort();
    expect(other.signal.reason).toMatchObject({ name: "AbortError" });
  }
  await clock.advance(0);
  expect(clock.pending).toBe(0);
});
