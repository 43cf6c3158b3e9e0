import { describe, expect, it } from "vitest";
import { ProviderError, type ProviderErrorCode } from "../errors.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { timedCall } from "../testing/call-context.ts";
import {
  createCallPolicies,
  createCallPolicy,
  type CallPolicyOptions,
  type Try,
  type CloudOperation,
} from "./call-policy.ts";

const read: CloudOperation = { name: "DescribeInstances", repeat: "repeatable" };
const act: CloudOperation = { name: "AllocateAddress", repeat: "once" };
const fails = (code: ProviderErrorCode, retryAfterMs?: number) => () =>
  Promise.reject(new ProviderError(code, `${code}!`, retryAfterMs === undefined ? {} : { retryAfterMs }));

function setUp(options: Partial<CallPolicyOptions> = {}) {
  const clock = new FakeClock(0);
  return { clock, policy: createCallPolicy({ scope: "test 1 r1", clock, random: () => 0.5, ...options }) };
}

/** Fails with these codes in turn, then succeeds; notes when it was called. */
function script(clock: FakeClock, codes: readonly ProviderErrorCode[]) {
  const at: number[] = [];
  return {
    at,
    attempt: () => {
      at.push(clock.now());
      const code = codes[at.length - 1];
      return code === undefined ? Promise.resolve("done") : fails(code)();
    },
  };
}

describe("repetition", () => {
  it("waits longer each time, with jitter", async () => {
    const { clock, policy } = setUp();
    const { at, attempt } = script(clock, ["unavailable", "throttled", "unavailable"]);
    await expect(clock.runUntil(policy.run(read, attempt, timedCall(clock)))).resolves.toBe("done");
    expect(at).toEqual([0, 100, 300, 700]);
  });

  it.each([
    ["what was refused for good", read, "unauthorized", 1],
    ["a quota", read, "quota_exceeded", 1],
    ["an act without token after a lost answer", act, "unavailable", 1],
    ["an act without token after a refusal", act, "throttled", 2],
    ["a read after a lost answer", read, "unavailable", 2],
  ] as const)("%s", async (_what, operation, code, calls) => {
    const { clock, policy } = setUp();
    const { at, attempt } = script(clock, [code]);
    await clock.runUntil(policy.run(operation, attempt, timedCall(clock)).catch(() => undefined));
    expect(at).toHaveLength(calls);
  });

  it("gives up after five tries with the last failure", async () => {
    const { clock, policy } = setUp();
    const { at, attempt } = script(clock, Array<ProviderErrorCode>(9).fill("throttled"));
    await expect(clock.runUntil(policy.run(read, attempt, timedCall(clock)))).rejects.toMatchObject({
      code: "throttled",
    });
    expect(at).toHaveLength(5);
  });

  it("waits at least as long as the cloud asks", async () => {
    const { clock, policy } = setUp();
    const at: number[] = [];
    const attempt = () => (
      at.push(clock.now()),
      at.length === 1 ? fails("throttled", 7_000)() : Promise.resolve(1)
    );
    await clock.runUntil(policy.run(read, attempt, timedCall(clock)));
    expect(at).toEqual([0, 7_100]);
  });

  it("does not begin a wait that ends after the deadline", async () => {
    const { clock, policy } = setUp();
    const call = timedCall(clock, { timeoutMs: 90 });
    const { at, attempt } = script(clock, ["unavailable", "unavailable"]);
    await expect(clock.runUntil(policy.run(read, attempt, call))).rejects.toMatchObject({
      code: "unavailable",
    });
    expect([at, clock.now()]).toEqual([[0], 0]);
  });

  it("stops waiting when the caller is gone, and leaves no timer", async () => {
    const { clock, policy } = setUp();
    const call = timedCall(clock);
    const failure = policy.run(read, fails("unavailable"), call).catch((error: unknown) => error);
    await clock.advance(50);
    expect(clock.pending).toBe(2);
    call.abort();
    call[Symbol.dispose]();
    expect(await failure).toBe(call.signal.reason);
    expect(clock.pending).toBe(0);
  });

  it("counts the SDK's own tries", async () => {
    const { clock, policy } = setUp();
    let calls = 0;
    const attempt = (one: Try) => {
      calls += 1;
      one.requests(3);
      return fails("throttled")();
    };
    await clock.runUntil(policy.run(read, attempt, timedCall(clock)).catch(() => undefined));
    expect(calls).toBe(2);
    expect(policy.bucket.level()).toBeLessThanOrEqual(20 - 6 + 2);
  });

  it("makes an internal error of what is not a ProviderError, and does not repeat it", async () => {
    const { clock, policy } = setUp();
    await expect(
      clock.runUntil(policy.run(read, () => Promise.reject("text"), timedCall(clock))),
    ).rejects.toMatchObject({
      code: "internal",
      message: expect.stringContaining("DescribeInstances") as string,
    });
  });
});

describe("rate", () => {
  const bucket = { capacity: 20, refillPerSecond: 2 };

  it("lets 100 calls through a bucket of 20 with 2 a second, in order, never faster", async () => {
    const { clock, policy } = setUp({ bucket });
    const at: number[] = [];
    const calls = Array.from({ length: 100 }, (_, index) =>
      policy.run(read, () => (at.push(clock.now()), Promise.resolve(index)), timedCall(clock)),
    );
    await expect(clock.runUntil(Promise.all(calls))).resolves.toHaveLength(100);
    expect(at.filter((time) => time === 0)).toHaveLength(20);
    for (const [index, time] of at.entries()) expect(index + 1).toBeLessThanOrEqual(20 + (time / 1_000) * 2);
    expect(at.at(-1)).toBe(40_000);
  });

  it("fails at once with throttled what would have to wait beyond its deadline", async () => {
    const { clock, policy } = setUp({ bucket });
    const outcomes = Array.from({ length: 100 }, () =>
      policy
        .run(read, () => Promise.resolve("done"), timedCall(clock, { timeoutMs: 10_000 }))
        .catch((error: unknown) => error),
    );
    const settled = await clock.runUntil(Promise.all(outcomes));
    expect(settled.filter((outcome) => outcome === "done")).toHaveLength(39);
    expect(settled.filter((outcome) => (outcome as ProviderError).code === "throttled")).toHaveLength(61);
  });

  it("gives the place of an aborted caller to the next", async () => {
    const { clock, policy } = setUp({ bucket: { capacity: 1, refillPerSecond: 1 } });
    const gone = timedCall(clock);
    const done = () => Promise.resolve(clock.now());
    await policy.run(read, done, timedCall(clock));
    const waiting = policy.run(read, done, gone).catch((error: unknown) => error);
    gone.abort();
    expect(await waiting).toMatchObject({ name: "AbortError" });
    await expect(clock.runUntil(policy.run(read, done, timedCall(clock)))).resolves.toBe(1_000);
  });

  it("is shared by all that ask for the same account and region", () => {
    const policies = createCallPolicies();
    expect(policies.of("aws 1 r1")).toBe(policies.of("aws 1 r1"));
    expect(policies.of("aws 1 r1")).not.toBe(policies.of("aws 1 r2"));
  });
});

describe("circuit", () => {
  const quick = { retry: { maxTries: 1, baseMs: 1, maxMs: 1 }, breaker: { failures: 3, openMs: 1_000 } };
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "ok",
      (error: ProviderError) => error.code,
    );

  it("opens after failures in a row, says why and until when, and closes after a probe", async () => {
    const { clock, policy } = setUp(quick);
    const call = timedCall(clock);
    for (let count = 0; count < 3; count++) await codeOf(policy.run(read, fails("unavailable"), call));
    const refused = await policy
      .run(read, () => Promise.resolve(1), call)
      .catch((error: unknown) => error as ProviderError);
    expect(refused).toMatchObject({ code: "circuit_open", retryAfterMs: 1_000 });
    expect((refused as ProviderError).message).toMatch(
      /test 1 r1.*00:00:01.*3 failures.*DescribeInstances: unavailable!/,
    );
    await clock.advance(1_000);
    expect(policy.breaker.state).toBe("half-open");
    expect(await codeOf(policy.run(read, () => Promise.resolve(1), call))).toBe("ok");
    expect(policy.breaker.state).toBe("closed");
  });

  it("lets one probe out, and opens again when it fails", async () => {
    const { clock, policy } = setUp(quick);
    const call = timedCall(clock);
    for (let count = 0; count < 3; count++) await codeOf(policy.run(read, fails("unavailable"), call));
    await clock.advance(1_000);
    const probe = Promise.withResolvers<never>();
    const first = codeOf(policy.run(read, () => probe.promise, call));
    await clock.advance(0);
    expect(await codeOf(policy.run(read, () => Promise.resolve(1), call))).toBe("circuit_open");
    probe.reject(new ProviderError("unavailable", "still"));
    expect(await first).toBe("unavailable");
    expect(policy.breaker.state).toBe("open");
  });

  it("does not open for refusals or aborts, nor for failures with a success between", async () => {
    const { clock, policy } = setUp(quick);
    const call = timedCall(clock);
    for (const code of ["unauthorized", "throttled", "not_found", "aborted"] as const)
      for (let count = 0; count < 3; count++)
        await clock.runUntil(codeOf(policy.run(read, fails(code), call)));
    for (let count = 0; count < 4; count++) {
      await clock.runUntil(codeOf(policy.run(read, fails("unavailable"), call)));
      await clock.runUntil(codeOf(policy.run(read, fails("unavailable"), call)));
      await clock.runUntil(codeOf(policy.run(read, () => Promise.resolve(1), call)));
    }
    expect(policy.breaker.state).toBe("closed");
  });
});
