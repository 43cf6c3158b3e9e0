import { describe, expect, it } from "vitest";
import { createCallPolicy } from "../call-policy/call-policy.ts";
import { silentLogger } from "../logger.ts";
import { timedCall } from "./call-context.ts";
import { FakeClock } from "./fake-clock.ts";
import { createFakeCloud, type FakeCloudOptions } from "./fake-cloud/fake-cloud.ts";
import type { FaultKind } from "./fake-cloud/faults.ts";
import { fakeProvider, type FakeProviderOptions } from "./fake-provider/manager.ts";
import { fakeOptionValues } from "./fake-provider/options.ts";
import type { FakeProvider } from "./fake-provider/provider.ts";
import { testRequest } from "./fixtures.ts";

const nothing = { instances: 0, interfaces: 0, disks: 0, addresses: 0 };
const full = { multiNic: true, volumes: [{ diskId: "vol-1" }, { diskId: "vol-2" }] };

async function setUp(
  options: FakeCloudOptions & { clock?: FakeClock; env?: Record<string, string> } & FakeProviderOptions = {},
) {
  const { clock = new FakeClock() } = options;
  const cloud = createFakeCloud({ volumes: ["vol-1", "vol-2"], ...options, clock });
  const provider = (await fakeProvider(cloud, options).newProvider({
    config: fakeOptionValues(options.env),
    logger: silentLogger,
    stateDir: "/nonexistent",
    env: {},
  })) as FakeProvider;
  return { clock, cloud, provider, call: timedCall(clock) };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "ok",
    (error: { code?: string }) => error.code,
  );

describe("an instance of the fake cloud", () => {
  it("has everything that was asked for, and leaves nothing but its data volumes", async () => {
    const { clock, cloud, provider, call } = await setUp({
      bootMs: 5_000,
      latencyMs: 20,
      env: { FAKE_PUBLIC_IP: "true" },
    });
    const request = testRequest({ spec: { ...full, spot: true } });
    const started = clock.now();
    const instance = await clock.runUntil(provider.createInstance(request, call));
    expect(clock.now() - started).toBeGreaterThanOrEqual(5_000);
    expect(instance.addresses[0]).toMatch(/^203\.0\.113\./);
    expect(instance.addresses).toHaveLength(3);
    expect(cloud.count()).toEqual({ instances: 1, interfaces: 2, disks: 1, addresses: 1 });
    const reference = { token: request.token };
    expect(await clock.runUntil(provider.attachedVolumes(reference, call))).toEqual(full.volumes);
    expect(await clock.runUntil(provider.networkInterfaces(reference, call))).toHaveLength(2);
    cloud.account.announceReclaim(instance.id, 7);
    expect(await clock.runUntil(provider.spotState(reference, call))).toEqual({ spot: true, reclaimAt: 7 });
    await clock.runUntil(provider.deleteInstance({ instanceId: instance.id, tags: request.tags }, call));
    expect(cloud.count()).toEqual(nothing);
    expect(cloud.account.volumes.get("vol-1")).toEqual({ id: "vol-1" });
  });

  it.each([
    ["a type that does not exist", { instanceType: "huge" }, "invalid_request"],
    ["an image that does not exist", { image: "img-none" }, "not_found"],
    ["a volume that does not exist", { volumes: [{ diskId: "vol-9" }] }, "invalid_request"],
  ])("is not made with %s", async (_what, spec, code) => {
    const { cloud, provider, call } = await setUp();
    expect(await codeOf(provider.createInstance(testRequest({ spec }), call))).toBe(code);
    expect(cloud.count()).toEqual(nothing);
  });

  it("is not made with the volume of another one", async () => {
    const { cloud, provider, call } = await setUp();
    const one = testRequest({ spec: full });
    const other = testRequest({ sandboxId: "b".repeat(64), spec: full });
    expect(await codeOf(provider.createInstance(one, call))).toBe("ok");
    expect(await codeOf(provider.createInstance(other, call))).toBe("invalid_request");
    expect(cloud.count().instances).toBe(1);
  });
});

describe("limits of the fake cloud", () => {
  it("has no capacity per type and zone, and placements go around it for a while", async () => {
    const { clock, cloud, provider, call } = await setUp();
    cloud.exhaust({ instanceType: "small", zone: "a" });
    const request = testRequest();
    const [first, second] = await provider.placements(request.spec, call);
    expect(await codeOf(provider.createInstance({ ...request, placement: first! }, call))).toBe(
      "no_capacity",
    );
    expect(await provider.placements(request.spec, call)).toEqual([second]);
    const next = { ...testRequest({ attempt: 2 }), placement: second! };
    expect(await codeOf(provider.createInstance(next, call))).toBe("ok");
    await clock.advance(300_000);
    expect(await provider.placements(request.spec, call)).toEqual([first, second]);
  });

  it.each(["instances", "interfaces", "disks", "addresses"] as const)("has a quota of %s", async (kind) => {
    const { cloud, provider, call } = await setUp({ quotas: { [kind]: 0 }, env: { FAKE_PUBLIC_IP: "true" } });
    expect(await codeOf(provider.createInstance(testRequest(), call))).toBe("quota_exceeded");
    expect(cloud.count()).toEqual(nothing);
  });

  it("refuses a wrong key and says so in the findings", async () => {
    const { provider, call } = await setUp({ env: { FAKE_ACCESS_KEY: "wrong" } });
    expect(await codeOf(provider.createInstance(testRequest(), call))).toBe("unauthorized");
    expect(await provider.configVerifier(call)).toMatchObject([
      { severity: "error", subject: "fake-access-key" },
    ]);
  });

  it("finds what the options name and the cloud has not", async () => {
    const { provider, call } = await setUp({
      env: { FAKE_IMAGE: "img-x", FAKE_ZONES: "a,z", FAKE_INSTANCE_TYPES: "big" },
    });
    const findings = await provider.configVerifier(call);
    expect(findings.map(({ subject }) => subject)).toEqual([
      "fake-instance-types",
      "fake-zones",
      "fake-image",
    ]);
  });
});

describe("faults of the fake cloud", () => {
  const cases: [FaultKind, string, number][] = [
    ["throttle", "throttled", 0],
    ["server_error", "unavailable", 0],
    ["reset_before", "unavailable", 0],
    ["reset_after", "unavailable", 1],
    ["no_capacity", "no_capacity", 0],
    ["quota", "quota_exceeded", 0],
    ["unauthorized", "unauthorized", 0],
    ["hang", "timeout", 0],
    ["hang_after", "timeout", 1],
  ];

  it.each(cases)("%s is %s, and leaves %d if no one undoes it", async (kind, code, left) => {
    const { clock, cloud, provider, call } = await setUp({ faults: [{ kind, step: "runInstance" }] });
    cloud.faults.add({ kind: "unauthorized", step: "describeInstances", times: Infinity });
    using short = timedCall(clock, { timeoutMs: 1_000 });
    const failure = await clock.runUntil(
      provider.createInstance(testRequest(), short).catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ code });
    expect(cloud.count().instances).toBe(left);
    cloud.faults.clear();
    await provider.deleteInstance({ token: testRequest().token, tags: {} }, call);
    expect(cloud.count()).toEqual(nothing);
  });

  it("tells what it could not undo, as the cloud names it", async () => {
    const { cloud, provider, call } = await setUp({ env: { FAKE_PUBLIC_IP: "true" } });
    cloud.faults.add({ kind: "quota", step: "allocateAddress" });
    cloud.faults.add({ kind: "throttle", step: "terminateInstance", times: Infinity });
    const failure: unknown = await provider
      .createInstance(testRequest(), call)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "quota_exceeded",
      left: [/^i-/, /^nic-/, /^disk-/].map((form) => expect.stringMatching(form) as string),
    });
  });

  it("hit the calls that they are armed for", async () => {
    const { cloud, provider, call } = await setUp();
    const fault = cloud.faults.add({ kind: "throttle", step: "describeInstances", after: 1, times: 2 });
    const look = () => codeOf(provider.listInstances({}, call));
    expect([await look(), await look(), await look(), await look()]).toEqual([
      "ok",
      "throttled",
      "throttled",
      "ok",
    ]);
    fault[Symbol.dispose]();
  });

  it("an abort before the cloud acts leaves nothing, one after it loses only the answer", async () => {
    const { clock, cloud, provider } = await setUp({ latencyMs: 100 });
    for (const [afterMs, instances] of [
      [40, 0],
      [60, 1],
    ] as const) {
      using call = timedCall(clock);
      const outcome = provider.parts.client
        .call("runInstance", call, (account) =>
          account.runInstance({
            token: `t-${afterMs}`,
            name: "n",
            type: "small",
            zone: "a",
            image: "img-podvm",
            userData: "",
            tags: {},
            spot: false,
          }),
        )
        .catch((error: unknown) => error);
      await clock.advance(afterMs);
      call.abort();
      expect(await outcome).toMatchObject({ code: "aborted" });
      expect(cloud.count().instances).toBe(instances);
    }
  });
});

describe("under a call policy", () => {
  const bucket = { capacity: 20, refillPerSecond: 2 };

  async function create100(timeoutMs: number) {
    const clock = new FakeClock();
    const policy = createCallPolicy({ scope: "fake 1 r1", clock, bucket, random: () => 0.5 });
    const { cloud, provider } = await setUp({ clock, latencyMs: 10, rateLimit: bucket, policy });
    const began = clock.now();
    const outcomes = await clock.runUntil(
      Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          using call = timedCall(clock, { timeoutMs });
          const sandboxId = index.toString(16).padStart(64, "0");
          return await codeOf(provider.createInstance(testRequest({ sandboxId }), call));
        }),
      ),
    );
    for (const [index, { at }] of cloud.calls.entries())
      expect(index + 1).toBeLessThanOrEqual(20 + ((at - began) / 1_000) * 2 + 1e-6);
    return { outcomes, cloud };
  }

  it("100 creates at once against a bucket of 20 all succeed when there is time", async () => {
    const { outcomes, cloud } = await create100(3_600_000);
    expect(new Set(outcomes)).toEqual(new Set(["ok"]));
    expect(cloud.count().instances).toBe(100);
    expect(cloud.calls).toHaveLength(200);
  });

  it("of 100 creates, those that do not fit before the deadline fail with throttled and leave nothing", async () => {
    const { outcomes, cloud } = await create100(30_000);
    const succeeded = outcomes.filter((code) => code === "ok").length;
    expect(new Set(outcomes)).toEqual(new Set(["ok", "throttled"]));
    expect(succeeded).toBeGreaterThanOrEqual(35);
    expect(cloud.count().instances).toBe(succeeded);
  });
});
