import { describe, expect, it } from "vitest";
import { abilitiesOf, supportsVolumes } from "../abilities.ts";
import type { CloudProvider, Instance, Provider } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import { timedCall } from "../testing/call-context.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { createFakeCloud } from "../testing/fake-cloud/fake-cloud.ts";
import { fakeProvider } from "../testing/fake-provider/manager.ts";
import { fakeOptionValues } from "../testing/fake-provider/options.ts";
import { testRequest } from "../testing/fixtures.ts";
import { connectProvider, guardProvider } from "./guard-provider.ts";

const instance: Instance = { id: "i-1", name: "podvm-web-0-4ef7f83b", addresses: ["192.0.2.1"] };
const never = () => new Promise<never>(() => undefined);

function setUp(change: Record<string, unknown>) {
  const clock = new FakeClock(0);
  const warnings: object[] = [];
  const provider = {
    createInstance: () => Promise.resolve(instance),
    deleteInstance: () => Promise.resolve(),
    configVerifier: () => Promise.resolve([]),
    teardown: () => Promise.resolve(),
    ...change,
  } as Provider;
  const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
  return { clock, warnings, guarded: guardProvider(provider, { name: "odd", logger, clock }) };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as ProviderError,
  );

describe("a provider that", () => {
  it.each([
    ["throws a string", () => Promise.reject("no luck"), "internal"],
    [
      "throws before there is a promise",
      () => {
        throw new TypeError("x is undefined");
      },
      "internal",
    ],
    ["throws nothing", () => Promise.reject(), "internal"],
    [
      "throws its own ProviderError",
      () => Promise.reject(new ProviderError("throttled", "slow down")),
      "throttled",
    ],
    ["answers nothing", () => Promise.resolve(), "internal"],
    ["answers without an id", () => Promise.resolve({ ...instance, id: "" }), "internal"],
    ["answers without an address", () => Promise.resolve({ ...instance, addresses: [] }), "internal"],
    [
      "answers with a name for an address",
      () => Promise.resolve({ ...instance, addresses: ["host"] }),
      "internal",
    ],
  ])("%s", async (_what, createInstance, code) => {
    const { clock, guarded } = setUp({ createInstance });
    const error = await failure(guarded.createInstance(testRequest(), timedCall(clock)));
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ code });
  });

  it("names the instance when its answer is unusable, so that it can be deleted", async () => {
    const { clock, guarded } = setUp({
      createInstance: () => Promise.resolve({ ...instance, addresses: [] }),
    });
    expect(await failure(guarded.createInstance(testRequest(), timedCall(clock)))).toMatchObject({
      left: ["i-1"],
    });
  });

  it.each([
    ["createInstance", 65_000],
    ["deleteInstance", 5_000],
  ] as const)("never answers %s ends %d ms after the deadline", async (method, afterMs) => {
    const { clock, guarded } = setUp({ [method]: never });
    using call = timedCall(clock, { timeoutMs: 1_000 });
    const request = testRequest();
    expect(await clock.runUntil(failure(guarded[method](request, call)))).toMatchObject({ code: "timeout" });
    expect(clock.now()).toBe(1_000 + afterMs);
    expect(clock.pending).toBe(0);
  });

  it("never answers a caller who is gone ends as aborted", async () => {
    const { clock, guarded } = setUp({ configVerifier: never });
    using call = timedCall(clock);
    const outcome = failure(guarded.configVerifier(call));
    call.abort();
    await clock.advance(5_000);
    expect(await outcome).toMatchObject({
      code: "aborted",
      message: expect.stringContaining("odd") as string,
    });
  });

  it("answers too late is logged with the instance, and not believed", async () => {
    const late = Promise.withResolvers<Instance>();
    const { clock, guarded, warnings } = setUp({ createInstance: () => late.promise });
    using call = timedCall(clock, { timeoutMs: 10 });
    expect(await clock.runUntil(failure(guarded.createInstance(testRequest(), call)))).toMatchObject({
      code: "timeout",
    });
    late.resolve(instance);
    await clock.advance(0);
    expect(warnings).toMatchObject([{ provider: "odd", method: "createInstance", instanceId: "i-1" }]);
  });

  it("answers twice is heard once", async () => {
    const twice = {
      // oxlint-disable-next-line unicorn/no-thenable -- a promise of the provider's own is what is tested
      then(resolve: (value: Instance) => void, reject: (reason: unknown) => void) {
        resolve(instance);
        resolve({ ...instance, id: "i-2" });
        reject(new Error("and failed"));
      },
    };
    const { clock, guarded } = setUp({ createInstance: () => twice });
    expect(await guarded.createInstance(testRequest(), timedCall(clock))).toEqual(instance);
  });

  it("is not even asked when the call is over before it begins", async () => {
    let asked = 0;
    const { clock, guarded } = setUp({ deleteInstance: () => ((asked += 1), Promise.resolve()) });
    using call = timedCall(clock);
    call.abort();
    expect(await failure(guarded.deleteInstance({ token: "t", tags: {} }, call))).toMatchObject({
      code: "aborted",
    });
    expect(asked).toBe(0);
  });

  it("cannot be torn down says so in the contract's words", async () => {
    const { guarded } = setUp({ teardown: () => Promise.reject("stuck") });
    expect(await failure(guarded.teardown())).toMatchObject({ code: "internal" });
  });
});

describe("a good provider", () => {
  const context = { config: fakeOptionValues(), logger: silentLogger, stateDir: "/nonexistent", env: {} };

  it("keeps its abilities, and its instances work", async () => {
    const clock = new FakeClock();
    const cloud = createFakeCloud({ clock });
    const provider = await connectProvider(fakeProvider(cloud), context, { clock });
    expect(abilitiesOf(provider)).toHaveLength(7);
    expect(supportsVolumes(provider) && provider.maxVolumes).toBe(4);
    using call = timedCall(clock);
    const { id } = await clock.runUntil(provider.createInstance(testRequest(), call));
    await clock.runUntil(provider.deleteInstance({ instanceId: id, tags: {} }, call));
    expect(cloud.count().instances).toBe(0);
  });

  it("gets no ability that it has not", () => {
    expect(abilitiesOf(setUp({ listInstances: never }).guarded)).toEqual([]);
  });

  it("that cannot connect says so in the contract's words", async () => {
    const broken: CloudProvider = {
      ...fakeProvider(createFakeCloud()),
      newProvider: () => Promise.reject("no"),
    };
    expect(await failure(connectProvider(broken, context))).toMatchObject({ code: "internal" });
  });
});
