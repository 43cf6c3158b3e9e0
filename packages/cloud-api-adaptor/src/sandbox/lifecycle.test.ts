import { ProviderError } from "@peerpods/cloud-providers";
import type { Instance } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { explain, SandboxError } from "./errors.ts";
import { settle } from "./testing/settle.ts";
import { createRequest, netnsPath, patient, sandboxId, World } from "./testing/world.ts";

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const failureOf = async (act: Promise<unknown>): Promise<SandboxError> => {
  const failure: unknown = await act.then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(SandboxError);
  return failure as SandboxError;
};

describe("a pod's life", () => {
  it("goes from created over running to gone", async () => {
    const daemon = await world.daemon();
    const { agentSocketPath } = await daemon.create(createRequest(), patient);
    expect(agentSocketPath).toBe(`/run/peerpod/pods/${sandboxId}/agent.ttrpc`);
    expect(daemon.list()[0]?.record).toMatchObject({ phase: "created", podName: "web", attempts: [] });
    expect(world.cloud.requests).toEqual([]);

    await daemon.start(sandboxId, patient);
    const record = daemon.list()[0]!.record;
    expect(record).toMatchObject({
      phase: "running",
      lastAttempt: 1,
      instance: { name: "podvm-web-0f1e2d3c" },
    });
    expect(world.relay.opened).toEqual([
      {
        sandboxId,
        socketPath: agentSocketPath,
        target: { host: "198.51.100.7", port: 15_150 },
        tls: { ca: "ca", cert: "cert", key: "key", serverName: "podvm-web-0f1e2d3c" },
        dialTimeoutMs: 300_000,
      },
    ]);
    expect(world.network.tunnels).toEqual([
      {
        netnsPath,
        interface: "eth0",
        mtu: 1450,
        remote: "198.51.100.7",
        vxlanId: 555_000,
        vxlanPort: 4789,
      },
    ]);

    await daemon.stop(sandboxId);
    await settle();
    expect(daemon.list()).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });

  it("asks for what the pod asked for, marked with whose it is", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest({ spec: { ...createRequest().spec, instanceType: "large" } }), patient);
    await daemon.start(sandboxId, patient);
    const [request] = world.cloud.requests;
    expect(request).toMatchObject({
      name: "podvm-web-0f1e2d3c",
      podName: "web",
      podNamespace: "default",
      spec: { instanceType: "large", memoryMiB: 128 },
      placement: { instanceType: "large", zone: "z1" },
    });
    expect(Object.values(request!.tags)).toEqual(
      expect.arrayContaining(["test-cluster", "worker-1", "default", "web", sandboxId, request!.token]),
    );
  });

  it("gives every pod an index and a VNI of its own", async () => {
    const daemon = await world.daemon();
    world.network.foreignVnis.add(555_001);
    const ids = ["a", "b", "c"];
    await Promise.all(ids.map((id) => daemon.create(createRequest({ sandboxId: id }), patient)));
    await Promise.all(ids.map((id) => daemon.start(id, patient)));
    expect(new Set(world.network.tunnels.map(({ vxlanId }) => vxlanId))).toEqual(
      new Set([555_000, 555_002, 555_003]),
    );
  });

  it("uses the second address for a dedicated tunnel interface", async () => {
    world.network.dedicated = true;
    world.cloud.addresses = ["198.51.100.7", "203.0.113.7"];
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    expect(world.network.tunnels[0]?.remote).toBe("203.0.113.7");
    expect(world.relay.opened[0]?.target.host).toBe("198.51.100.7");
  });
});

describe("CreateVM", () => {
  it("refuses a known id before anything is touched", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    world.network.before = async () => {
      throw new Error("the network was looked at");
    };
    const failure = await failureOf(daemon.create(createRequest({ podName: "other" }), patient));
    expect(failure.code).toBe("already_exists");
    expect(daemon.list().map(({ record }) => record.podName)).toEqual(["web"]);
  });

  it("refuses the same id while its creation is under way", async () => {
    const daemon = await world.daemon();
    const first = daemon.create(createRequest(), patient);
    expect((await failureOf(daemon.create(createRequest(), patient))).code).toBe("already_exists");
    await first;
  });

  it("leaves nothing when the namespace does not exist", async () => {
    const daemon = await world.daemon();
    const failure = await failureOf(daemon.create(createRequest({ netnsPath: "/run/netns/none" }), patient));
    expect(failure.code).toBe("network");
    expect(world.leftovers()).toEqual({});
    await daemon.create(createRequest(), patient);
  });

  it("leaves nothing when the caller goes", async () => {
    const daemon = await world.daemon();
    const caller = new AbortController();
    world.network.before = async () => caller.abort(new Error("hung up"));
    await expect(daemon.create(createRequest(), caller)).rejects.toThrow("hung up");
    expect(world.leftovers()).toEqual({});
  });

  it("holds the limit of pods, not counting those being removed", async () => {
    const daemon = await world.daemon({ settings: { maxSandboxes: 2 } });
    await daemon.create(createRequest({ sandboxId: "a" }), patient);
    await daemon.create(createRequest({ sandboxId: "b" }), patient);
    expect(await failureOf(daemon.create(createRequest({ sandboxId: "c" }), patient))).toMatchObject({
      code: "limit_reached",
      message: expect.stringContaining("may have 2"),
    });
    await daemon.stop("a");
    await daemon.create(createRequest({ sandboxId: "c" }), patient);
  });

  it("counts creations that are under way against the limit", async () => {
    const daemon = await world.daemon({ settings: { maxSandboxes: 1 } });
    const first = daemon.create(createRequest({ sandboxId: "a" }), patient);
    expect((await failureOf(daemon.create(createRequest({ sandboxId: "b" }), patient))).code).toBe(
      "limit_reached",
    );
    await first;
  });

  it("refuses what could not be tagged", async () => {
    const daemon = await world.daemon();
    const failure = await failureOf(daemon.create(createRequest({ podName: "a;b" }), patient));
    expect(failure.code).toBe("invalid_request");
    expect(world.leftovers()).toEqual({});
  });
});

describe("StartVM", () => {
  it("of an unknown sandbox says so", async () => {
    const daemon = await world.daemon();
    expect((await failureOf(daemon.start("nope", patient))).code).toBe("not_found");
  });

  it("twice makes one machine; both callers succeed", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await Promise.all([daemon.start(sandboxId, patient), daemon.start(sandboxId, patient)]);
    await daemon.start(sandboxId, patient);
    expect(world.cloud.peak).toBe(1);
    expect(world.relay.opened).toHaveLength(1);
  });

  it("walks the placements, each attempt with a token of its own", async () => {
    world.cloud.zones = ["z1", "z2", "z3"];
    world.cloud.full.add("z1").add("z2");
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    expect(world.cloud.requests).toMatchObject([{ placement: { zone: "z3" } }]);
    expect(daemon.list()[0]?.record).toMatchObject({ lastAttempt: 3, attempts: [{ number: 3 }] });
  });

  it("fails when no placement has capacity, naming those tried", async () => {
    world.cloud.zones = ["z1", "z2"];
    world.cloud.full.add("z1").add("z2");
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    const failure = await failureOf(daemon.start(sandboxId, patient));
    expect(failure.code).toBe("start_failed");
    expect(explain(failure)).toContain("small in z1, small in z2");
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("does not try another placement after any other failure", async () => {
    world.cloud.zones = ["z1", "z2"];
    let creations = 0;
    world.cloud.before = async (call) => {
      if (call !== "create") return;
      creations += 1;
      throw new ProviderError("unauthorized", "who are you");
    };
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await failureOf(daemon.start(sandboxId, patient));
    expect(creations).toBe(1);
  });

  it("deletes by token what a lost answer may have made", async () => {
    world.cloud.after = async (call) => {
      if (call === "create") throw new ProviderError("unavailable", "connection reset");
    };
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await failureOf(daemon.start(sandboxId, patient));
    await settle();
    expect(world.cloud.peak).toBe(1);
    expect(world.leftovers()).toEqual({});
  });

  it.each<[string, Partial<Instance>]>([
    ["without an id", { id: "" }],
    ["with a name as address", { addresses: ["vm.example"] }],
    ["with an option as address", { addresses: ["-batch"] }],
    ["without addresses at all", { addresses: undefined as never }],
  ])("refuses and deletes an instance %s", async (_what, change) => {
    const create = world.cloud.createInstance.bind(world.cloud);
    world.cloud.createInstance = async (...args) => ({ ...(await create(...args)), ...change });
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    expect((await failureOf(daemon.start(sandboxId, patient))).code).toBe("start_failed");
    await settle();
    expect(world.cloud.peak).toBe(1);
    expect(world.relay.opened).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });

  it.each(["setUp", "open", "no address"] as const)("undoes everything when %s fails", async (step) => {
    const boom = new Error("boom");
    if (step === "setUp") {
      world.network.before = async (call) => {
        if (call === "setUp") throw boom;
      };
    }
    if (step === "open") {
      world.relay.before = async (call) => {
        if (call === "open") throw boom;
      };
    }
    if (step === "no address") world.cloud.addresses = [];
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await failureOf(daemon.start(sandboxId, patient));
    await settle();
    expect(world.leftovers()).toEqual({});
    expect(daemon.list()).toEqual([]);
  });

  it("is aborted and undone when its only caller goes, and not while another waits", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    const open = Promise.withResolvers<void>();
    world.relay.before = async (call, _id, signal) => {
      if (call !== "open") return;
      signal.addEventListener("abort", () => open.reject(signal.reason), { once: true });
      await open.promise;
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const firstStart = daemon.start(sandboxId, first);
    const secondStart = daemon.start(sandboxId, second);
    first.abort(new Error("first left"));
    await expect(firstStart).rejects.toThrow("first left");
    await settle();
    expect(daemon.list()[0]?.record.phase).toBe("starting");
    second.abort(new Error("second left"));
    await expect(secondStart).rejects.toThrow("second left");
    await settle();
    expect(daemon.list()).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });

  it("is refused while the sandbox is being removed, with the reason", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    world.cloud.before = async (call) => {
      if (call !== "placements") throw new ProviderError("unavailable", `${call} is not possible`);
    };
    await failureOf(daemon.start(sandboxId, patient));
    await settle();
    expect(await failureOf(daemon.start(sandboxId, patient))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("create is not possible"),
    });
  });
});

describe("StopVM", () => {
  it("of an unknown sandbox says so", async () => {
    const daemon = await world.daemon();
    expect((await failureOf(daemon.stop("nope"))).code).toBe("not_found");
  });

  it("of a sandbox that never started asks no cloud", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    world.cloud.before = async () => {
      throw new Error("the cloud was asked");
    };
    await daemon.stop(sandboxId);
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("during StartVM aborts the start and undoes it", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    const creating = Promise.withResolvers<void>();
    world.cloud.before = async (call, { signal }) => {
      if (call !== "create") return;
      creating.resolve();
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      await promise;
    };
    const start = failureOf(daemon.start(sandboxId, patient));
    await creating.promise;
    await daemon.stop(sandboxId);
    expect((await start).code).toBe("start_failed");
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("during StartVM deletes a machine that appears only afterwards", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.cloud.ignoresAbort = true;
    world.cloud.before = async (call) => {
      if (call === "create") await promise;
    };
    const start = failureOf(daemon.start(sandboxId, patient));
    await settle();
    await daemon.stop(sandboxId);
    await settle();
    resolve();
    await start;
    await settle();
    expect(world.cloud.peak).toBe(1);
    expect(world.leftovers()).toEqual({});
    expect(world.relay.opened).toEqual([]);
  });

  it("is answered before the cloud is, closes the agent socket first, and deletes until confirmed", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    let deletions = 0;
    world.cloud.before = async (call) => {
      if (call !== "delete") return;
      expect(world.relay.carried).toEqual([]);
      deletions += 1;
      if (deletions < 4) throw new ProviderError("unavailable", "not now");
    };
    await daemon.stop(sandboxId);
    expect(world.relay.carried).toEqual([]);
    await settle();
    expect(world.leftovers()).toMatchObject({
      instances: [expect.anything()],
      journal: [expect.anything()],
    });
    expect(daemon.list()).toMatchObject([{ record: { phase: "stopping" }, lastError: "not now" }]);
    await world.clock.advance(60_000);
    expect(deletions).toBe(4);
    expect(world.leftovers()).toEqual({});
  });

  it("twice is one removal", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    let deletions = 0;
    world.cloud.before = async () => {
      deletions += 1;
    };
    await Promise.all([daemon.stop(sandboxId), daemon.stop(sandboxId)]);
    await settle();
    expect(deletions).toBe(1);
  });

  it("goes on without the relay and tells it later", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    let refusals = 3;
    world.relay.before = async (call) => {
      if (call === "close" && refusals-- > 0) throw new Error("relay is busy");
    };
    await daemon.stop(sandboxId);
    await settle();
    expect(world.cloud.requests).toEqual([]);
    expect(world.leftovers()).toMatchObject({ relay: [sandboxId], journal: [expect.anything()] });
    await world.clock.advance(10_000);
    expect(world.leftovers()).toEqual({});
  });
});

describe("closing the lifecycle", () => {
  it("keeps what runs, undoes what starts, and takes no more", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest({ sandboxId: "running" }), patient);
    await daemon.start("running", patient);
    await daemon.create(createRequest({ sandboxId: "starting" }), patient);
    const opening = Promise.withResolvers<void>();
    world.relay.before = async (call, _id, signal) => {
      if (call !== "open") return;
      opening.resolve();
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      await promise;
    };
    const start = failureOf(daemon.start("starting", patient));
    await opening.promise;
    await daemon.close({ signal: AbortSignal.timeout(5_000) });
    expect((await start).code).toBe("aborted");
    expect((await failureOf(daemon.create(createRequest({ sandboxId: "late" }), patient))).code).toBe(
      "aborted",
    );
    expect(world.leftovers()).toMatchObject({ relay: ["running"], journal: ["running"] });
    await daemon.close({ signal: AbortSignal.timeout(5_000) });
  });

  it("does not wait for a cloud that cannot delete", async () => {
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    world.cloud.before = async () => {
      throw new ProviderError("unavailable", "not now");
    };
    await daemon.stop(sandboxId);
    await daemon.close({ signal: AbortSignal.abort() });
    expect(world.clock.pending).toBe(0);
    world.cloud.before = async () => undefined;
    const next = await world.daemon();
    await settle();
    expect(next.list()).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });
});
