import { readdir } from "node:fs/promises";
import type { WorkerNode } from "../stand/node.ts";
import { pssKiB } from "../stand/process-cost.ts";

/** What daemon and relay hold at one moment without sandboxes. */
export interface Sample {
  /** Cycles done by then. */
  readonly cycles: number;
  readonly seconds: number;
  readonly daemon: Held;
  readonly relay: Held;
}

export interface Held {
  readonly pssMiB: number;
  readonly descriptors: number;
}

export async function takeSample(node: WorkerNode, at: Pick<Sample, "cycles" | "seconds">): Promise<Sample> {
  return { ...at, daemon: await heldBy(node.daemonPid), relay: await heldBy(node.relayPid) };
}

async function heldBy(pid: number): Promise<Held> {
  return { pssMiB: (await pssKiB(pid)) / 1024, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
}
