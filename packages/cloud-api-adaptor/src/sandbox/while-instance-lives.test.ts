import { setMaxListeners } from "node:events";
import type { CallContext, InstanceRecord, InstanceReference } from "@peerpods/cloud-providers";
import { beforeEach, describe, expect, it } from "vitest";
import { explain } from "./errors.ts";
import { FakeCloud } from "./testing/fake-cloud.ts";
import { settle } from "./testing/settle.ts";
import { createRequest, patient, sandboxId, World } from "./testing/world.ts";

setMaxListeners(0, patient.signal);

/** A cloud that can be asked what has become of its machines. */
class LookedAtCloud extends FakeCloud {
  /** What it says of every machine; `undefined`: it knows none. A function may throw or wait. */
  look: (call: CallContext) => Promise<InstanceRecord["state"] | undefined> = async () => "running";
  looks = 0;

  async listInstances(): Promise<readonly InstanceRecord[]> {
    throw new Error("nobody lists here");
  }

  async getInstance(
    { instanceId }: InstanceReference,
    call: CallContext,
  ): Promise<InstanceRecord | undefined> {
    this.looks += 1;
    expect(instanceId).toBe(`i-${this.requests[0]?.token ?? "?"}`);
    const state = await this.look(call);
    return state === undefined
      ? undefined
      : { id: instanceId ?? "", name: "", addresses: [], state, tags: {} };
  }
}

let world: World;
let cloud: LookedAtCloud;
/** Lets the relay reach the VM's agent. */
let connect: () => void;

beforeEach(() => {
  world = new World();
  cloud = new LookedAtCloud();
  world.provider = cloud;
  const { promise, resolve } = Promise.withResolvers<void>();
  connect = resolve;
  world.relay.before = async (call, _id, signal) => {
    if (call !== "open") return;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    await Promise.race([promise, aborted]);
  };
});

async function start(): Promise<{ readonly outcome: Promise<string>; readonly left: () => Promise<object> }> {
  const daemon = await world.daemon();
  await daemon.create(createRequest(), patient);
  const outcome = daemon.start(sandboxId, patient).then(() => "running", explain);
  const left = async () => {
    await daemon.stop(sandboxId).catch(() => undefined);
    await settle();
    return { ...world.leftovers(), timers: world.clock.pending };
  };
  return { outcome, left };
}

describe("a start whose instance is looked at", () => {
  it.each([
    ["has switched itself off", "stopping"],
    ["the cloud calls gone", "gone"],
    ["the cloud does not know any more", undefined],
  ] as const)("fails at the next look at a machine that %s, and leaves nothing", async (_what, state) => {
    const kept: unknown[] = [];
    world.failedStarts = { keep: async ({ reason }) => void kept.push(reason, cloud.requests.length) };
    const { outcome, left } = await start();
    await world.clock.advance(20_000);
    expect(cloud.looks).toBe(1);
    cloud.look = async () => state;
    await world.clock.advance(10_000);
    expect(await outcome).toContain(
      `ended before its agent could be reached: the cloud says that it is ${state ?? "gone"}`,
    );
    await settle();
    // What the guest wrote is read while the machine is still there.
    expect(kept).toEqual([expect.stringContaining("ended before"), 1]);
    expect(await left()).toEqual({ timers: 0 });
  });

  it("goes on while the cloud has no answer, says something unclear, or never answers", async () => {
    const { outcome, left } = await start();
    const answers = [
      async () => await Promise.reject<never>(new Error("connection reset")),
      async () => "unknown" as const,
      async () => "pending" as const,
      () => new Promise<never>(() => undefined),
    ];
    for (const answer of answers) {
      cloud.look = answer;
      await world.clock.advance(40_000);
    }
    expect(cloud.looks).toBeGreaterThanOrEqual(answers.length);
    connect();
    expect(await outcome).toBe("running");
    // The grace of the call that was given up.
    await world.clock.advance(10_000);
    expect(await left()).toEqual({ timers: 0 });
  });

  it("asks nothing when it is quick, and nothing more once it runs", async () => {
    const { outcome } = await start();
    await world.clock.advance(14_000);
    connect();
    expect(await outcome).toBe("running");
    await world.clock.advance(60_000);
    expect(cloud.looks).toBe(0);
  });
});
