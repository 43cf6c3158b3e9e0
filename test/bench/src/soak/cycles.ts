import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { Health } from "@peerpods/kata-protocols/health";
import { until } from "@peerpods/test-harness";
import type { Cloud } from "../cloud/cloud.ts";
import { inParallel } from "../stand/in-parallel.ts";
import type { WorkerNode } from "../stand/node.ts";
import { podRequest, type PodNetworks } from "../stand/pods.ts";
import { startSandbox } from "../stand/sandbox.ts";
import { takeSample, type Sample } from "./sample.ts";

/** Calls of each sandbox between its start and its stop. */
const CALLS = 20;
/** Samples of a run. */
const SAMPLES = 24;
/** Idle time before a sample: the relay collects its garbage when it has been idle for up to twice five seconds. */
const QUIET_MS = 11_000;

export interface SoakStage {
  readonly node: WorkerNode;
  readonly networks: PodNetworks;
  readonly cloud: Cloud;
}

/** Runs the cycles in portions, and takes a sample behind each, when no sandbox is left. */
export async function runCycles(
  stage: SoakStage,
  { cycles, atOnce, quietMs = QUIET_MS }: { cycles: number; atOnce: number; quietMs?: number },
  progress: (sample: Sample) => void,
): Promise<readonly Sample[]> {
  const { node } = stage;
  const began = performance.now();
  const samples: Sample[] = [];
  const portion = Math.max(atOnce, Math.ceil(cycles / SAMPLES));
  for (let done = 0; done < cycles;) {
    const count = Math.min(portion, cycles - done);
    await inParallel(Array.from({ length: count }), atOnce, () => cycle(stage));
    await until("every sandbox is gone", async () => (await node.sandboxes()) === 0, { timeoutMs: 120_000 });
    done += count;
    await delay(quietMs);
    const sample = await takeSample(node, { cycles: done, seconds: (performance.now() - began) / 1000 });
    samples.push(sample);
    progress(sample);
  }
  return samples;
}

async function cycle({ node, networks }: SoakStage): Promise<void> {
  const pod = await networks.add();
  try {
    const sandbox = await startSandbox(node, podRequest(pod));
    const health = createClient(Health, sandbox.connection.transport);
    for (let call = 0; call < CALLS; call++) await health.check({}, { timeoutMs: 30_000 });
    await sandbox.stop();
  } finally {
    await networks.remove(pod);
  }
}
