import { silentLogger } from "@peerpods/cloud-providers";
import { createFakeCloud, fakeOptionValues, fakeProvider } from "@peerpods/cloud-providers/testing";
import type { FakeCloud } from "@peerpods/cloud-providers/testing";
import { describe, expect, it } from "vitest";
import type { Lifecycle } from "./lifecycle.ts";
import { defaultReaping } from "./settings.ts";
import { CrashAt, crashMoments } from "./testing/crash.ts";
import { settle } from "./testing/settle.ts";
import { createRequest, patient, sandboxId, World } from "./testing/world.ts";

/** How far the shim got, as far as the shim knows. */
type Progress = "nothing" | "created" | "started" | "stopped";

/** The calls of a shim, one after the other, each only when the one before was answered. */
async function livePodsLife(
  daemon: Lifecycle,
  world: World,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  await daemon.recover(patient);
  await daemon.create(createRequest(), patient);
  onProgress("created");
  await daemon.start(sandboxId, patient);
  world.relay.change(sandboxId, { shim: "connected" });
  onProgress("started");
  await daemon.stop(sandboxId);
  onProgress("stopped");
}

/** One life with a crash at the given moment; tells at which kind of moment it was, or nothing when life ended before. */
async function crashAt(point: number, zones: readonly string[]): Promise<string | undefined> {
  await using world = new World();
  world.cloud.zones = zones;
  for (const zone of zones.slice(0, -1)) world.cloud.full.add(zone);
  const crash = new CrashAt(point);
  const shim: { progress: Progress } = { progress: "nothing" };
  const life = livePodsLife(world.freshDaemon({ interpose: crash.interpose }), world, (progress) => {
    shim.progress = progress;
  });
  await Promise.race([life.then(settle), crash.crashed]);
  if (!crash.dead) return undefined;
  try {
    await liveOn(world, shim.progress);
  } catch (error) {
    throw new Error(`crash ${point} (${crash.where}) with the shim at "${shim.progress}"`, { cause: error });
  }
  return crash.where;
}

/** The machine's next daemon: what runs is adopted, everything else goes, and a new life is possible. */
async function liveOn(world: World, progress: Progress): Promise<void> {
  const daemon = await world.daemon();
  await settle();
  const isRunning = daemon.list().some(({ record }) => record.phase === "running");
  if (progress === "started" && isRunning) {
    const kinds = Object.keys(world.leftovers());
    expect(kinds).toEqual(["instances", "relay", "tunnels", "directories", "cluster", "journal"]);
    await daemon.start(sandboxId, patient);
    await daemon.stop(sandboxId);
  }
  // A shim that was cut off in a call never comes back.
  await daemon.reap(patient);
  await world.clock.advance(defaultReaping.createdGraceMs + 1);
  await daemon.reap(patient);
  await settle();
  await world.clock.advance(120_000);
  expect(world.leftovers()).toEqual({});
  expect(daemon.list()).toEqual([]);
  expect(world.cloud.peak).toBeLessThanOrEqual(1);

  await daemon.create(createRequest({ sandboxId: "next" }), patient);
  await daemon.start("next", patient);
  await daemon.stop("next");
  await settle();
  expect(world.leftovers()).toEqual({});
}

describe("a daemon that dies at any moment of a pod's life", () => {
  it.each([
    ["one placement", ["z1"]],
    ["the first two placements full", ["z1", "z2", "z3"]],
  ])("leaves and doubles nothing: %s", async (_what, zones) => {
    const survived: string[] = [];
    for (let point = 1; ; point += 1) {
      const where = await crashAt(point, zones);
      if (where === undefined) break;
      survived.push(where);
    }
    // Every kind of act has been among them, so a moment that is no longer covered shows here.
    for (const act of crashMoments) {
      for (const side of ["before", "after"]) {
        expect(survived).toContain(`${side} ${act}`);
      }
    }
  });
});

describe("a daemon that dies between two calls of the cloud's API", () => {
  const connect = (cloud: FakeCloud) =>
    fakeProvider(cloud).newProvider({
      config: fakeOptionValues({ FAKE_PUBLIC_IP: "true" }),
      logger: silentLogger,
      stateDir: "/nonexistent",
      env: {},
    });
  const request = createRequest({ spec: { ...createRequest().spec, multiNic: true } });

  it("leaves no machine, interface or address to the next", async () => {
    const steps = new Set<string>();
    for (let point = 1; ; point += 1) {
      await using world = new World();
      const cloud = createFakeCloud({ clock: world.clock });
      const crash = new CrashAt(point);
      world.provider = await connect(crash.interpose(cloud));
      const first = await world.daemon();
      await first.create(request, patient);
      const life = first.start(sandboxId, patient).then(() => first.stop(sandboxId));
      await Promise.race([life.then(() => world.clock.advance(60_000)).then(settle), crash.crashed]);
      if (!crash.dead) break;
      for (const { step } of cloud.calls) steps.add(step);

      world.provider = await connect(cloud);
      const second = await world.daemon();
      // A machine whose StartVM was answered is the shim's; here the shim died with its daemon.
      await world.clock.advance(defaultReaping.shimDialGraceMs + 1);
      await second.reap(patient);
      await world.clock.advance(10 * 60_000);
      await settle();
      expect({ point, count: cloud.count(), left: world.leftovers() }).toEqual({
        point,
        count: { instances: 0, interfaces: 0, disks: 0, addresses: 0 },
        left: {},
      });
    }
    for (const step of ["runInstance", "createInterface", "allocateAddress", "terminateInstance"]) {
      expect(steps).toContain(step);
    }
  });
});

describe("a daemon that dies while a predecessor's work is being finished", () => {
  it("is finished by the next", async () => {
    for (let point = 1; ; point += 1) {
      await using world = new World();
      const first = await world.daemon();
      await first.create(createRequest(), patient);
      await first.start(sandboxId, patient);
      world.cloud.before = async (call) => {
        if (call === "delete") throw new Error("not now");
      };
      await first.stop(sandboxId);
      await first.close({ signal: AbortSignal.abort() });
      world.cloud.before = async () => undefined;
      const crash = new CrashAt(point);
      const second = world.freshDaemon({ interpose: crash.interpose });
      await Promise.race([second.recover(patient).then(settle), crash.crashed]);
      if (!crash.dead) break;
      const third = await world.daemon();
      await settle();
      expect({ where: crash.where, left: world.leftovers(), listed: third.list() }).toEqual({
        where: crash.where,
        left: {},
        listed: [],
      });
    }
  });
});
