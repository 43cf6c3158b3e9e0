import { createCallPolicy, ProviderError } from "@peerpods/cloud-providers";
import { DrivenClock, testRequest, timedCall } from "@peerpods/cloud-providers/testing";
import { beforeEach, expect, it } from "vitest";
import { census } from "./testing/aws-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithEc2 } from "./testing/stand-in-suite.ts";

const CROWD = 100;
const BURST = 20;
const PER_SECOND = 2;

await describeWithEc2(
  `${CROWD} creations at once against a bucket of ${BURST} with ${PER_SECOND} a second`,
  (suite) => {
    let before: readonly string[] = [];

    beforeEach(async () => {
      before = await census(suite().standIn);
      // Loaded once in a process; time must not run meanwhile.
      await Promise.all([import("./sdk.ts"), import("@smithy/node-http-handler")]);
    });

    async function crowd(timeoutMs: number) {
      const { standIn, account } = suite();
      const clock = new DrivenClock();
      const start = clock.now();
      const tries: number[] = [];
      const policy = createCallPolicy({
        scope: "aws",
        clock,
        random: () => 0.5,
        bucket: { capacity: BURST, refillPerSecond: PER_SECOND },
      });
      const aws = await connect(standIn, account, {
        effects: { clock, policy: clock.watch(policy, () => tries.push(clock.now() - start)) },
      });
      // EC2 refuses some of them all the same: other nodes use the same account.
      using _throttled = standIn.faults.add({
        kind: "throttle",
        action: "RunInstances",
        after: 5,
        times: 10,
      });
      using call = timedCall(clock, { timeoutMs });
      const requests = Array.from({ length: CROWD }, (_, index) =>
        testRequest({ sandboxId: `${timeoutMs}x${index}`.padStart(64, "0") }),
      );
      const outcomes = await clock.runUntil(
        Promise.allSettled(requests.map((request) => aws.createInstance(request, call))),
      );
      const tookMs = clock.now() - start;
      for (const [index, at] of tries.entries())
        expect(index + 1, `call ${index + 1} at ${at} ms`).toBeLessThanOrEqual(
          BURST + (at / 1_000) * PER_SECOND + 1e-6,
        );
      const made = outcomes.filter(({ status }) => status === "fulfilled").length;
      const now = await census(standIn);
      expect(now.filter((name) => name.startsWith("i-") && !before.includes(name))).toHaveLength(made);
      using cleanUp = timedCall(clock, { timeoutMs: 3_600_000 });
      await clock.runUntil(
        Promise.all(requests.map(({ token, tags }) => aws.deleteInstance({ token, tags }, cleanUp))),
      );
      expect(await census(standIn)).toEqual(before);
      return { outcomes, made, tookMs };
    }

    it("all succeed when there is time", { timeout: 600_000 }, async () => {
      const { made, tookMs } = await crowd(600_000);
      expect(made).toBe(CROWD);
      // 102 calls and 10 repetitions, 20 of them at once.
      expect(tookMs).toBeGreaterThanOrEqual(46_000);
      expect(tookMs).toBeLessThan(60_000);
    });

    it(
      "fail with throttled when there is not, and those that succeed stay",
      { timeout: 600_000 },
      async () => {
        const { outcomes, made, tookMs } = await crowd(20_000);
        expect(tookMs).toBeLessThanOrEqual(20_000);
        expect(made).toBeGreaterThan(30);
        expect(made).toBeLessThan(CROWD);
        const codes = outcomes.flatMap((outcome) =>
          outcome.status === "fulfilled" ? [] : [ProviderError.from(outcome.reason).code],
        );
        expect(codes).toEqual(Array.from({ length: CROWD - made }, () => "throttled"));
      },
    );
  },
);
