import { silentLogger } from "@peerpods/cloud-providers";
import { createFakeCloud, fakeOptionValues, fakeProvider } from "@peerpods/cloud-providers/testing";
import type { ApiStep, FakeCloud, FaultKind } from "@peerpods/cloud-providers/testing";
import { describe, expect, it } from "vitest";
import { settle } from "./testing/settle.ts";
import { createRequest, patient, sandboxId, World } from "./testing/world.ts";

const kinds: readonly FaultKind[] = [
  "throttle",
  "server_error",
  "reset_before",
  "reset_after",
  "no_capacity",
  "quota",
  "unauthorized",
  "hang",
  "hang_after",
];
const nothing = { instances: 0, interfaces: 0, disks: 0, addresses: 0 };

/** A world whose cloud has an API with sub-resources, polls and limits, behind a provider written for it. */
async function worldOf(): Promise<{ world: World; cloud: FakeCloud }> {
  const world = new World();
  const cloud = createFakeCloud({ clock: world.clock, latencyMs: 20, bootMs: 500 });
  world.provider = await fakeProvider(cloud).newProvider({
    config: fakeOptionValues({ FAKE_PUBLIC_IP: "true" }),
    logger: silentLogger,
    stateDir: "/nonexistent",
    env: {},
  });
  return { world, cloud };
}

/** The shim's part: StartVM with its deadline, and StopVM whatever came of it. */
async function liveAndLeave(world: World): Promise<boolean> {
  const daemon = await world.daemon();
  await daemon.create(createRequest({ spec: { ...createRequest().spec, multiNic: true } }), patient);
  const deadline = new AbortController();
  const answered = new AbortController();
  const timer = world.clock.sleep(60_000, answered).then(
    () => deadline.abort(new Error("deadline exceeded")),
    () => undefined,
  );
  const started = await world.clock.runUntil(
    daemon.start(sandboxId, { signal: deadline.signal, deadline: world.clock.now() + 60_000 }).then(
      () => true,
      () => false,
    ),
  );
  answered.abort();
  await timer;
  await daemon.stop(sandboxId).catch(() => undefined);
  for (let minutes = 0; minutes < 60 && daemon.list().length > 0; minutes += 1) {
    await world.clock.advance(60_000);
    await settle();
  }
  return started;
}

describe("a fault at one call of the cloud's API", () => {
  it("finds every call of a life that goes well", async () => {
    const { world, cloud } = await worldOf();
    await using _world = world;
    expect(await liveAndLeave(world)).toBe(true);
    expect(cloud.count()).toEqual(nothing);
    expect(new Set(cloud.calls.map(({ step }) => step))).toEqual(
      new Set<ApiStep>([
        "runInstance",
        "describeInstances",
        "createInterface",
        "attachInterface",
        "allocateAddress",
        "associateAddress",
        "describeResources",
        "terminateInstance",
        "deleteInterface",
        "releaseAddress",
      ]),
    );
  });

  it.each(kinds)("leaves nothing, at whichever call: %s", async (kind) => {
    for (let after = 0; ; after += 1) {
      const { world, cloud } = await worldOf();
      await using _world = world;
      const fault = cloud.faults.add({ kind, after });
      const started = await liveAndLeave(world);
      expect({ after, started, count: cloud.count(), left: world.leftovers() }).toEqual({
        after,
        started,
        count: nothing,
        left: {},
      });
      if (fault.hits === 0) break;
    }
  });
});
