import { expect, it } from "vitest";
import { Topology, pods } from "../testing/topology.ts";
import { listTunnelRules } from "../tunnel/notrack.ts";
import { inspectWorkerNetwork } from "./inspect.ts";
import { setUpWorkerTunnel } from "./set-up.ts";
import { tearDownWorkerTunnel } from "./tear-down.ts";

const isRoot = process.getuid?.() === 0;
const rounds = 20;

// A report, not a check: how long it takes depends on the machine and on what else runs there.
it.skipIf(!isRoot)("reports how long the worker's end takes (needs root)", async () => {
  await using topology = await Topology.create();
  const [pod, neighbor] = pods;
  const driver = topology.worker;
  const signal = AbortSignal.timeout(100_000);
  const inspect = (netnsPath: string) => inspectWorkerNetwork({ netnsPath }, driver, { signal });
  // As on a node that has pods already.
  const other = topology.tunnel(neighbor, await inspect(topology.podNetns(neighbor)));
  await setUpWorkerTunnel(other, driver, { signal });
  const tunnel = topology.tunnel(pod, await inspect(topology.podNetns(pod)));
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["one empty process", () => driver.ip([])],
    ["inspect", () => inspect(tunnel.netnsPath)],
    ["set-up", () => setUpWorkerTunnel(tunnel, driver, { signal })],
    ["tear-down", () => tearDownWorkerTunnel(tunnel, driver, { signal })],
  ];
  const timesMs = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, step] of steps) {
      const started = performance.now();
      await step();
      timesMs.set(name, [...(timesMs.get(name) ?? []), performance.now() - started]);
    }
  }
  process.stdout.write(`${[...timesMs].map(([name, times]) => `${name}: ${summary(times)}`).join("\n")}\n`);
  await tearDownWorkerTunnel(other, driver, { signal });
  expect(await listTunnelRules(driver, { signal })).toEqual([]);
});

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [least = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
  return `${median.toFixed(1)} ms (at best ${least.toFixed(1)})`;
}
