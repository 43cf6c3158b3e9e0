import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RelaySandbox } from "./ports.ts";
import { defaultReaping as grace } from "./settings.ts";
import { settle } from "./testing/settle.ts";
import { createRequest, patient, sandboxId, World } from "./testing/world.ts";

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

type Fate = Partial<Pick<RelaySandbox, "state" | "shim">>;

const cases: [what: string, fate: Fate, afterMs: number][] = [
  ["its shim was killed", { shim: "gone" }, grace.lostGraceMs],
  ["its VM is gone for good", { state: "lost", shim: "connected" }, grace.lostGraceMs],
  ["no shim ever came", { shim: "none" }, grace.shimDialGraceMs],
];

describe("a running sandbox is reaped when", () => {
  it.each(cases)("%s, and not before its grace period is over", async (_what, fate, afterMs) => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    world.relay.change(sandboxId, fate);
    await world.clock.advance(afterMs);
    expect(await daemon.reap(patient)).toEqual([]);
    await world.clock.advance(1);
    expect(await daemon.reap(patient)).toEqual([sandboxId]);
    expect(await daemon.reap(patient)).toEqual([]);
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("the relay has lost it, at once", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    await world.clock.advance(1);
    world.relay.die();
    expect(await daemon.reap(patient)).toEqual([sandboxId]);
    await settle();
    expect(world.leftovers()).toEqual({});
  });
});

describe("a sandbox is not reaped", () => {
  it.each<[string, Fate]>([
    ["while its shim is connected", { shim: "connected" }],
    ["while the relay reaches for its VM", { shim: "connected", state: "reconnecting" }],
  ])("%s, however long", async (_what, fate) => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    world.relay.change(sandboxId, fate);
    await world.clock.advance(24 * 60 * 60_000);
    expect(await daemon.reap(patient)).toEqual([]);
  });

  it("that came to run while the relay was asked", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    world.relay.before = async (call) => {
      if (call === "list") await daemon.start(sandboxId, patient);
    };
    const list = world.relay.list.bind(world.relay);
    world.relay.list = async (options) => {
      const before = await list(options);
      return before.filter((sandbox) => sandbox.sandboxId !== sandboxId);
    };
    expect(await daemon.reap(patient)).toEqual([]);
  });

  it("while it starts, however long that takes", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.cloud.before = async (call) => {
      if (call === "placements") await promise;
    };
    const start = daemon.start(sandboxId, patient);
    await world.clock.advance(grace.createdGraceMs * 2);
    expect(await daemon.reap(patient)).toEqual([]);
    resolve();
    await start;
  });
});

describe("a created sandbox", () => {
  it("is reaped when StartVM does not come", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await world.clock.advance(grace.createdGraceMs);
    expect(await daemon.reap(patient)).toEqual([]);
    await world.clock.advance(1);
    expect(await daemon.reap(patient)).toEqual([sandboxId]);
    await settle();
    expect(world.leftovers()).toEqual({});
  });
});

describe("reapForever", () => {
  it("looks again and again, also after the relay could not be asked, until it is told to end", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    let refusals = 2;
    world.relay.before = async (call) => {
      if (call === "list" && refusals-- > 0) throw new Error("relay is busy");
    };
    const end = new AbortController();
    const reaping = daemon.reapForever(end);
    world.relay.change(sandboxId, { shim: "gone" });
    await world.clock.advance(grace.lostGraceMs + grace.intervalMs);
    await settle();
    expect(world.leftovers()).toEqual({});
    end.abort();
    await reaping;
  });
});
