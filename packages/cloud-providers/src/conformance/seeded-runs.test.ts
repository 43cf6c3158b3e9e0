import { describe, expect, it } from "vitest";
import { createCallPolicy } from "../call-policy/call-policy.ts";
import { FakeProvider } from "../testing/fake-provider/provider.ts";
import { createFakeTarget } from "../testing/fake-target.ts";
import { runSeededFaults, seededRunCount } from "./seeded-runs.ts";

const runs = seededRunCount(60);

describe("random lives of instances", () => {
  it("end with an empty cloud", { timeout: 600_000 }, async () => {
    const { target, cloud } = createFakeTarget({ cloud: { latencyMs: 20 } });
    expect(await runSeededFaults(target, { runs, seed: 7 })).toEqual({ done: runs, failures: [] });
    expect(cloud.count()).toEqual({ instances: 0, interfaces: 0, disks: 0, addresses: 0 });
  });

  it("end with an empty cloud when calls are repeated", { timeout: 600_000 }, async () => {
    const { target, cloud } = createFakeTarget({
      policy: (clock) => createCallPolicy({ scope: "fake", clock, random: () => 0.5 }),
    });
    expect(await runSeededFaults(target, { runs, seed: 11 })).toEqual({ done: runs, failures: [] });
    expect(cloud.count().instances).toBe(0);
  });

  it("find a provider that leaves things, and the same ones again", { timeout: 600_000 }, async () => {
    // Looks no further when the instance is gone.
    const leaky = () =>
      createFakeTarget({
        make: (parts) => {
          const provider = new FakeProvider(parts);
          const deleteInstance = provider.deleteInstance.bind(provider);
          provider.deleteInstance = async (request, call) => {
            if ((await provider.listInstances(request.tags, call)).length > 0)
              await deleteInstance(request, call);
          };
          return provider;
        },
      });
    const once = await runSeededFaults(leaky().target, { runs: 20, seed: 3 });
    const again = await runSeededFaults(leaky().target, { runs: 20, seed: 3 });
    expect(again.done).toBe(20);
    expect(once.failures.length).toBeGreaterThan(0);
    expect(once.failures.map(({ run }) => run)).toEqual(again.failures.map(({ run }) => run));
  });

  it("cannot be tried without faults", async () => {
    const { faults: _, ...target } = createFakeTarget().target;
    await expect(runSeededFaults(target, { runs: 1 })).rejects.toThrow(/needs faults/);
  });
});

it("are a share, all of them in a soak, or as many as are asked for", () => {
  expect(seededRunCount(7, {})).toBe(7);
  expect(seededRunCount(7, { PEERPODS_SOAK: "1" })).toBe(500);
  expect(seededRunCount(7, { PEERPODS_SOAK: "1", PEERPODS_SEEDED_RUNS: "20" })).toBe(20);
  for (const wrong of ["0", "many", "-1", "1.5"])
    expect(() => seededRunCount(7, { PEERPODS_SEEDED_RUNS: wrong })).toThrow(/whole number/);
});
