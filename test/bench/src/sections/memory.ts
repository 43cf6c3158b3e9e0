import { join } from "node:path";
import { until } from "@peerpods/test-harness";
import { atMost, type Row } from "../report/row.ts";
import { startNode, type WorkerNode } from "../stand/node.ts";
import { inParallel } from "../stand/in-parallel.ts";
import { createPodNetworks, podRequest } from "../stand/pods.ts";
import { pssKiB } from "../stand/process-cost.ts";
import { startSandbox, type Sandbox } from "../stand/sandbox.ts";
import { missingRoot } from "./missing.ts";
import type { Section } from "./section.ts";

const COUNTS = [10, 100, 500] as const;
const AT_A_TIME = 10;
/** Sandboxes that come and go before: a few for what is loaded with the first, then many for what V8 compiles when it is used often. */
const FIRST = 20;
const WARM_UP = 100;
const MAX_IDLE_MIB = 100;
const MAX_SANDBOX_KIB = 100;
/** Memory counts when it has stayed about the same for this long; an idle relay collects within twice five seconds. */
const SETTLE_MS = 11_000;

interface Footprint {
  readonly daemonMiB: number;
  readonly relayMiB: number;
  readonly bothMiB: number;
}

/** PSS of the bundled daemon and relay with sandboxes whose agent connections are open, and after they are stopped. */
export const memory: Section = {
  name: "memory",
  title: "PSS of daemon (with its shells) and relay, bundled",
  missing: missingRoot,
  async measure({ directory, programs, cloud: startCloud, scale, progress }) {
    const cloud = await startCloud();
    await using node = await startNode({
      programs: await programs(),
      cloud,
      directory: join(directory, "m"),
    });
    await using networks = createPodNetworks();
    const sandboxes: Sandbox[] = [];
    const start = async (count: number): Promise<void> => {
      await inParallel(Array.from({ length: count }), AT_A_TIME, async () => {
        sandboxes.push(await startSandbox(node, podRequest(await networks.add())));
      });
    };
    const stopAll = async (): Promise<void> => {
      await inParallel(sandboxes.splice(0), AT_A_TIME, async (sandbox) => void (await sandbox.stop()));
      await until("every sandbox is gone", async () => (await node.sandboxes()) === 0, {
        timeoutMs: 120_000,
      });
    };
    const fresh = await settled(node);
    await start(FIRST);
    await stopAll();
    const first = await settled(node);
    // What is loaded and compiled with the first sandboxes is no sandbox's own.
    progress("memory after many sandboxes");
    const warmUp = Math.max(FIRST, Math.round(WARM_UP * scale));
    await start(warmUp);
    await stopAll();
    const idle = await settled(node);
    const rows = [
      rowOf("no sandbox yet", fresh),
      rowOf(`no sandbox any more, after the first ${FIRST}`, first),
      rowOf(
        `no sandbox any more, after ${warmUp} more`,
        idle,
        atMost(idle.bothMiB, MAX_IDLE_MIB, `at most ${MAX_IDLE_MIB}`),
      ),
    ];
    let last = { count: 0, footprint: idle };
    for (const wanted of COUNTS) {
      const count = Math.max(1, Math.round(wanted * scale));
      progress(`memory with ${count} sandboxes`);
      await start(count - sandboxes.length);
      last = { count, footprint: await settled(node) };
      rows.push(rowOf(`${count} sandboxes`, last.footprint));
    }
    const each = ((last.footprint.bothMiB - idle.bothMiB) * 1024) / last.count;
    rows.push({
      name: `each of ${last.count} sandboxes`,
      unit: "KiB",
      ours: each,
      target: atMost(each, MAX_SANDBOX_KIB),
    });
    await stopAll();
    const after = await settled(node);
    // What one sandbox may cost is returned when at most a tenth of all of them stays.
    const stays = ((after.bothMiB - idle.bothMiB) * 1024) / last.count;
    return [
      ...rows,
      rowOf("after all are stopped", after),
      {
        name: "not returned, of each",
        unit: "KiB",
        ours: stays,
        target: atMost(stays, MAX_SANDBOX_KIB / 10),
      },
    ];
  },
};

function rowOf(name: string, { daemonMiB, relayMiB, bothMiB }: Footprint, target?: Row["target"]): Row {
  return {
    name,
    unit: "MiB",
    ours: bothMiB,
    note: `daemon ${daemonMiB.toFixed(1)}, relay ${relayMiB.toFixed(1)}`,
    ...(target === undefined ? {} : { target }),
  };
}

/** The footprint once it has stopped to change, as the collector of an idle process needs a while. */
async function settled(node: WorkerNode): Promise<Footprint> {
  let before = await footprintOf(node);
  for (let waited = 0; waited < 60_000; waited += SETTLE_MS) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const now = await footprintOf(node);
    if (Math.abs(now.bothMiB - before.bothMiB) < 0.5) return now;
    before = now;
  }
  return before;
}

async function footprintOf({ daemonPid, relayPid }: WorkerNode): Promise<Footprint> {
  const daemonMiB = (await pssKiB(daemonPid)) / 1024;
  const relayMiB = (await pssKiB(relayPid)) / 1024;
  return { daemonMiB, relayMiB, bothMiB: daemonMiB + relayMiB };
}
