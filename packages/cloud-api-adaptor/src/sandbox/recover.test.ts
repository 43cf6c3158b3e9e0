import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JournalContent } from "./ports.ts";
import { settle } from "./testing/settle.ts";
import { createRequest, patient, sandboxId, World } from "./testing/world.ts";

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function runOne(id = sandboxId): Promise<void> {
  const daemon = await world.daemon();
  await daemon.create(createRequest({ sandboxId: id }), patient);
  await daemon.start(id, patient);
  await daemon.close({ signal: AbortSignal.abort() });
}

describe("the next daemon", () => {
  it("adopts a running sandbox as it is, and can stop it", async () => {
    await runOne();
    const daemon = world.freshDaemon();
    const report = await daemon.recover(patient);
    expect(report).toEqual({ adopted: [sandboxId], ending: [], quarantined: [] });
    expect(daemon.list()[0]?.record).toMatchObject({
      phase: "running",
      instance: { name: "podvm-web-0f1e2d3c" },
    });
    await daemon.start(sandboxId, patient);
    expect(world.relay.opened).toHaveLength(1);
    await daemon.stop(sandboxId);
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("keeps a created sandbox, whose StartVM may still come", async () => {
    const first = await world.daemon();
    await first.create(createRequest({ initdata: 'algorithm = "sha256"' }), patient);
    const second = await world.daemon();
    expect(second.list()[0]?.record).toEqual(first.list()[0]?.record);
    await second.start(sandboxId, patient);
    expect(world.cloud.requests).toHaveLength(1);
  });

  it("removes a sandbox that the relay lost", async () => {
    await runOne();
    world.relay.die();
    const daemon = world.freshDaemon();
    expect(await daemon.recover(patient)).toMatchObject({ adopted: [], ending: [{ sandboxId }] });
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("never gives out an index that an earlier one gave out", async () => {
    await runOne("a");
    const second = await world.daemon();
    await second.create(createRequest({ sandboxId: "b" }), patient);
    await second.stop("a");
    await second.stop("b");
    await settle();
    const third = await world.daemon();
    await third.create(createRequest({ sandboxId: "c" }), patient);
    expect(third.list()[0]?.record.network.index).toBeGreaterThan(1);
  });

  it("keeps the VNI of a live pod when the first VNI is configured anew", async () => {
    await runOne("a");
    const daemon = await world.daemon({ minVni: 554_936 });
    for (const id of ["b", "c"]) {
      await daemon.create(createRequest({ sandboxId: id }), patient);
      await daemon.start(id, patient);
    }
    expect(new Set(world.network.tunnels.map(({ vxlanId }) => vxlanId)).size).toBe(3);
  });

  it("deletes with the tags the instance was made with, whatever is configured now", async () => {
    await runOne();
    const daemon = await world.daemon({ settings: { nodeName: "renamed", clusterId: () => "another" } });
    await daemon.stop(sandboxId);
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("does not start when the relay cannot tell what it carries", async () => {
    await runOne();
    world.relay.before = async () => {
      throw new Error("relay is gone");
    };
    await expect(world.daemon()).rejects.toThrow("relay is gone");
    expect(world.leftovers()).toMatchObject({ instances: [expect.anything()] });
  });

  it("closes agent sockets of sandboxes that nobody knows", async () => {
    await runOne();
    world.journal.entries.clear();
    await world.daemon();
    expect(world.relay.carried).toEqual([]);
  });

  it("leaves a sandbox alone whose entry is unreadable, and refuses its id", async () => {
    await runOne();
    const quarantined = [{ sandboxId, path: "/quarantine/x", reason: "it is not JSON" }];
    world.journal.entries.clear();
    world.journal.load = async (): Promise<JournalContent> => ({ records: [], quarantined });
    const daemon = world.freshDaemon();
    expect(await daemon.recover(patient)).toEqual({ adopted: [], ending: [], quarantined });
    expect(world.relay.carried).toEqual([sandboxId]);
    await expect(daemon.create(createRequest(), patient)).rejects.toMatchObject({ code: "already_exists" });
  });
});

describe("a journal that cannot be written", () => {
  const full = async () => {
    throw new Error("no space left on device");
  };

  it("refuses CreateVM and leaves nothing", async () => {
    const daemon = await world.daemon();
    world.journal.before = full;
    await expect(daemon.create(createRequest(), patient)).rejects.toThrow("no space left");
    expect(world.leftovers()).toEqual({});
    expect(daemon.count).toBe(0);
  });

  it("keeps StartVM from asking the cloud", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    world.journal.before = full;
    await expect(daemon.start(sandboxId, patient)).rejects.toMatchObject({ code: "start_failed" });
    await settle();
    expect(world.cloud.peak).toBe(0);
    expect(world.leftovers()).toEqual({});
  });

  it("does not keep StopVM from removing everything", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    world.journal.before = full;
    await daemon.stop(sandboxId);
    await settle();
    expect(world.leftovers()).toEqual({});
  });
});
