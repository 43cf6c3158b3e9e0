import { join } from "node:path";
import { startNode } from "../stand/node.ts";
import { median } from "./median.ts";
import { missingRoot } from "./missing.ts";
import type { Section } from "./section.ts";

/** From the start of a process until its socket takes connections. */
export const start: Section = {
  name: "start",
  title: "from the start of the process until it serves",
  missing: missingRoot,
  async measure({ directory, programs, cloud: startCloud, rounds, progress }) {
    const cloud = await startCloud();
    const relay: number[] = [];
    const first: number[] = [];
    const later: number[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(`start (${round + 1} of ${rounds})`);
      const options = { programs: await programs(), cloud, directory: join(directory, `s${round}`) };
      for (const times of [first, later]) {
        await using node = await startNode(options);
        relay.push(node.startMs.relay);
        times.push(node.startMs.daemon);
      }
    }
    return [
      { name: "agent relay", unit: "ms", ours: median(relay) },
      { name: "daemon, first start (makes its keys)", unit: "ms", ours: median(first) },
      { name: "daemon, later start", unit: "ms", ours: median(later) },
    ];
  },
};
