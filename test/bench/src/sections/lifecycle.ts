import { join } from "node:path";
import { until } from "@peerpods/test-harness";
import type { Cloud } from "../cloud/cloud.ts";
import { atMost, type Row } from "../report/row.ts";
import { startNode, type WorkerNode } from "../stand/node.ts";
import { cpuSecondsOfFamily } from "../stand/process-cost.ts";
import { createPodNetworks, podRequest, type PodNetworks } from "../stand/pods.ts";
import { startSandbox, type Sandbox } from "../stand/sandbox.ts";
import { median } from "./median.ts";
import { missingRoot } from "./missing.ts";
import type { Section } from "./section.ts";

const ALONE = 20;
const AT_ONCE = 40;
const MAX_START_MS = 45;
const MAX_STOP_MS = 20;
const MAX_AT_ONCE_MS = 800;

interface Stage {
  readonly node: WorkerNode;
  readonly networks: PodNetworks;
  readonly cloud: Cloud;
}

/** The three calls of the shim, with journal, certificates, tunnel and relay; only the cloud takes no time. */
export const lifecycle: Section = {
  name: "lifecycle",
  title: "CreateVM, StartVM and StopVM on a cloud of zero latency, with the real tunnel",
  missing: missingRoot,
  async measure({ directory, programs, nodeArgs, cloud: startCloud, rounds, progress }) {
    const cloud = await startCloud();
    await using node = await startNode({
      programs: await programs(),
      cloud,
      directory: join(directory, "n"),
      nodeArgs,
    });
    await using networks = createPodNetworks();
    const stage: Stage = { node, networks, cloud };
    progress("lifecycle alone");
    const alone = await startAlone(stage, ALONE);
    const rows = aloneRows(alone);
    const times: Together[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(`lifecycle, ${AT_ONCE} at once (${round + 1} of ${rounds})`);
      times.push(await startTogether(stage, AT_ONCE));
    }
    const startMs = median(times.map((time) => time.startMs));
    return [
      ...rows,
      {
        name: `${AT_ONCE} at once, CreateVM + StartVM of all`,
        unit: "ms",
        ours: startMs,
        target: atMost(startMs, MAX_AT_ONCE_MS),
        note: "reference 1,340",
      },
      {
        name: `${AT_ONCE} at once, StopVM of all`,
        unit: "ms",
        ours: median(times.map((time) => time.stopMs)),
      },
      {
        name: `${AT_ONCE} at once, CPU of daemon, its programs and relay until all have started`,
        unit: "ms",
        ours: median(times.map((time) => time.cpuMs)),
        note: "beside it the cloud and the shims of the bench take time, and the disk",
      },
    ];
  },
};

interface Times {
  readonly createMs: number;
  readonly startMs: number;
  readonly stopMs: number;
}

function aloneRows(times: readonly Times[]): readonly Row[] {
  const created = median(times.map(({ createMs }) => createMs));
  const started = median(times.map(({ startMs }) => startMs));
  const both = median(times.map(({ createMs, startMs }) => createMs + startMs));
  const stopped = median(times.map(({ stopMs }) => stopMs));
  return [
    { name: "CreateVM, p50", unit: "ms", ours: created },
    { name: "StartVM, p50", unit: "ms", ours: started },
    {
      name: "CreateVM + StartVM, p50",
      unit: "ms",
      ours: both,
      target: atMost(both, MAX_START_MS),
      note: "reference 46",
    },
    {
      name: "StopVM's answer, p50",
      unit: "ms",
      ours: stopped,
      target: atMost(stopped, MAX_STOP_MS),
      note: "reference 124",
    },
  ];
}

/** One sandbox after the other; the first one, which loads what is loaded late, does not count. */
async function startAlone(stage: Stage, count: number): Promise<readonly Times[]> {
  const times: Times[] = [];
  for (let index = 0; index <= count; index++) {
    const pod = await stage.networks.add();
    const sandbox = await startSandbox(stage.node, podRequest(pod));
    const { createMs, startMs } = sandbox;
    times.push({ createMs, startMs, stopMs: await sandbox.stop() });
    await untilEmpty(stage);
    await stage.networks.remove(pod);
  }
  return times.slice(1);
}

interface Together {
  readonly startMs: number;
  readonly stopMs: number;
  readonly cpuMs: number;
}

async function startTogether(stage: Stage, count: number): Promise<Together> {
  const pods = [];
  for (let index = 0; index < count; index++) pods.push(await stage.networks.add());
  const cpuBefore = await cpuMsOf(stage.node);
  // From the first CreateVM to the last answer of StartVM; the dial and the check behind it are the shim's.
  const began = performance.now();
  let lastStarted = 0;
  const sandboxes = await Promise.all(
    pods.map(async (pod): Promise<Sandbox> => {
      const mine = performance.now();
      const sandbox = await startSandbox(stage.node, podRequest(pod));
      lastStarted = Math.max(lastStarted, mine + sandbox.createMs + sandbox.startMs);
      return sandbox;
    }),
  );
  const startMs = lastStarted - began;
  const cpuMs = (await cpuMsOf(stage.node)) - cpuBefore;
  const asked = performance.now();
  await Promise.all(sandboxes.map((sandbox) => sandbox.stop()));
  const stopMs = performance.now() - asked;
  await untilEmpty(stage);
  for (const pod of pods) await stage.networks.remove(pod);
  return { startMs, stopMs, cpuMs };
}

async function cpuMsOf({ daemonPid, relayPid }: WorkerNode): Promise<number> {
  return 1000 * ((await cpuSecondsOfFamily(daemonPid)) + (await cpuSecondsOfFamily(relayPid)));
}

/** What StopVM leaves to do in the background is not to disturb the next measurement. */
async function untilEmpty({ node, cloud }: Stage): Promise<void> {
  await until(
    "every sandbox is gone",
    async () => (await cloud.instances()) + (await node.sandboxes()) === 0,
    {
      everyMs: 20,
    },
  );
}
