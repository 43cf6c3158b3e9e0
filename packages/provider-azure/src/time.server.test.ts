import { createCallPolicy, type CallPolicy } from "@peerpods/cloud-providers";
import { DrivenClock, testRequest, timedCall } from "@peerpods/cloud-providers/testing";
import { startAzureStandIn } from "@peerpods/azure-stand-in";
import { beforeAll, describe, expect, it } from "vitest";
import { createArm } from "./client.ts";
import { census } from "./testing/azure-account.ts";
import { connect, testKey } from "./testing/connect.ts";

/** How long ARM usually takes to answer, in milliseconds; everything else is a read. Inferred, as are the delays below. */
const answers: Readonly<Record<string, number>> = {
  PutAddress: 1_500,
  PutInterface: 2_000,
  PutMachine: 5_000,
  DeleteMachine: 1_500,
};
const READ_MS = 300;

/** What goes on after the answers: the guest's report of being ready takes 45 s of the first. */
const delays = { createMachine: 60_000, allocate: 12_000, deleteMachine: 35_000, address: 3_000 };

/** Each call takes its time on the clock, after the stand-in has answered. */
function slow(policy: CallPolicy, clock: DrivenClock): CallPolicy {
  return {
    bucket: policy.bucket,
    breaker: policy.breaker,
    run: (operation, attempt, call) =>
      policy.run(
        operation,
        async (one) => {
          const result = await attempt(one);
          await clock.sleep(answers[operation.name] ?? READ_MS, one);
          return result;
        },
        call,
      ),
  };
}

async function world(env: Readonly<Record<string, string>> = {}, { watch = true } = {}) {
  const clock = new DrivenClock();
  const standIn = await startAzureStandIn({ now: () => clock.now(), delays });
  const policy = createCallPolicy({ scope: "azure", clock, random: () => 0.5 });
  await testKey("");
  const logged: string[] = [];
  const azure = await connect(standIn, {
    effects: {
      clock,
      watch,
      policy: clock.watch(slow(policy, clock)),
      createArm: (config, own) => clock.hold(() => createArm(config, own)),
    },
    env,
    logged,
  });
  const request = testRequest();
  const during = async <Result>(act: () => Promise<Result>) => {
    const start = clock.now();
    const result = await clock.runUntil(act());
    return { result, tookMs: clock.now() - start };
  };
  const call = () => timedCall(clock, { timeoutMs: 600_000 });
  // What is asked once for all pods is not a creation's time.
  await during(() => azure.placements(request.spec, call()));
  return { clock, standIn, azure, request, during, call, logged };
}

describe("with the usual delays of ARM", () => {
  beforeAll(async () => {
    await import("./sdk.ts");
  });

  it.each<[string, Readonly<Record<string, string>>, boolean, number]>([
    ["with its interface", {}, false, 2_000 + 5_000],
    ["with two interfaces", {}, true, 2_000 + 5_000],
    // The address comes 3 s after its request; from the answer on it is looked for each second.
    [
      "with a public address",
      { USE_PUBLIC_IP: "true" },
      false,
      1_500 + 2 * (READ_MS + 1_000) + READ_MS + 2_000 + 5_000,
    ],
  ])(
    "a machine %s is there after ARM's answers, long before its guest is ready",
    async (_what, env, multiNic, tookMs) => {
      const { standIn, azure, request, during, call } = await world(env, { watch: false });
      await using _ = standIn;
      const wish = { ...request, spec: { ...request.spec, multiNic } };
      const creation = await during(() => azure.createInstance(wish, call()));
      expect(creation.tookMs).toBe(tookMs);
      expect(standIn.account.get(creation.result.id)?.properties["provisioningState"]).toBe("Creating");
      const deletion = await during(() => azure.deleteInstance({ token: request.token, tags: {} }, call()));
      // ARM is asked every 10 s, as it wishes.
      expect(deletion.tookMs).toBeGreaterThanOrEqual(delays.deleteMachine);
      expect(deletion.tookMs).toBeLessThan(delays.deleteMachine + 15_000);
      expect(census(standIn)).toEqual([]);
    },
  );

  it("a machine waits for an interface that is still being made", async () => {
    const { standIn, azure, request, during, call } = await world({}, { watch: false });
    await using _ = standIn;
    Object.assign(standIn.account.delays, { interface: 5_000 });
    const { tookMs } = await during(() => azure.createInstance(request, call()));
    // Two looks, 3 s apart: the second sees it.
    expect(tookMs).toBe(2_000 + READ_MS + 3_000 + READ_MS + 5_000);
    await during(() => azure.deleteInstance({ token: request.token, tags: {} }, call()));
    expect(census(standIn)).toEqual([]);
  });

  it("parts that are left are removed at once, not one after the other", async () => {
    const { standIn, azure, request, during, call } = await world(
      { USE_PUBLIC_IP: "true" },
      { watch: false },
    );
    await using _ = standIn;
    const wish = { ...request, spec: { ...request.spec, multiNic: true } };
    const { result } = await during(() => azure.createInstance(wish, call()));
    const made = standIn.calls.length;
    Object.assign(standIn.account.delays, {
      deleteInterface: 8_000,
      deleteDisk: 8_000,
      deleteAddress: 8_000,
    });
    standIn.account.remove(result.id);
    for (const one of standIn.account.resources.values()) delete one.properties["virtualMachine"];
    for (const one of standIn.account.ofType("Microsoft.Compute/disks")) delete one.properties["managedBy"];
    const { tookMs } = await during(() => azure.deleteInstance({ token: request.token, tags: {} }, call()));
    // Two stages: interfaces and disk, then the addresses that only then are free (and had gone with the interfaces).
    expect(tookMs).toBeLessThan(2 * 12_000);
    const deletions = standIn.calls.slice(made).filter(({ method }) => method === "DELETE");
    expect(deletions.length).toBeGreaterThanOrEqual(5);
    expect(census(standIn)).toEqual([]);
  });

  it("a machine for which Azure finds no room after all is noticed, and its place is avoided", async () => {
    const { clock, standIn, azure, request, during, call, logged } = await world({ AZURE_ZONES: "1,2" });
    await using _ = standIn;
    standIn.account.fullLater.add("Standard_DC2as_v5 1");
    const { result } = await during(() => azure.createInstance(request, call()));
    expect((await during(() => azure.placements(request.spec, call()))).result[0]?.zone).toBe("1");
    await clock.runUntil(clock.sleep(30_000));
    expect((await during(() => azure.placements(request.spec, call()))).result[0]?.zone).toBe("2");
    expect(logged.join("\n")).toContain("ZonalAllocationFailed");
    await during(() => azure.deleteInstance({ instanceId: result.id, tags: request.tags }, call()));
    expect(census(standIn)).toEqual([]);
  });

  it("a machine that is ready is not watched any longer, nor is one that is deleted", async () => {
    const { clock, standIn, azure, request, during, call, logged } = await world();
    await using _ = standIn;
    const { result } = await during(() => azure.createInstance(request, call()));
    await clock.runUntil(clock.sleep(120_000));
    const looks = standIn.calls.filter(({ name }) => name.endsWith("/operations")).length;
    // As often as ARM wishes while a minute passes.
    expect(looks).toBeLessThanOrEqual(8);
    await clock.runUntil(clock.sleep(120_000));
    expect(standIn.calls.filter(({ name }) => name.endsWith("/operations"))).toHaveLength(looks);
    await during(() => azure.deleteInstance({ instanceId: result.id, tags: request.tags }, call()));
    const next = testRequest({ attempt: 2 });
    await during(() => azure.createInstance(next, call()));
    await during(() => azure.deleteInstance({ token: next.token, tags: next.tags }, call()));
    const seen = standIn.calls.length;
    await clock.runUntil(clock.sleep(120_000));
    expect(standIn.calls).toHaveLength(seen);
    expect(logged.join("\n")).not.toContain("has not made a machine");
    await azure.teardown();
    await azure.teardown();
  });
});
