import { setTimeout as delay } from "node:timers/promises";
import type { Row } from "../report/row.ts";
import type { Line } from "../stand/lines.ts";
import { missingForLines } from "./missing.ts";
import type { Section } from "./section.ts";
import { ways } from "./throughput.ts";

const MiB = 1 << 20;
const CALLS = 4_000;
const SAMPLE_MS = 200;

/** Whether the hops need more memory the longer payload passes: the peaks of both halves of the time it takes. */
export const payloadMemory: Section = {
  name: "payload-memory",
  title: "peak PSS of relay and forwarder while payload of 1 MiB a call passes",
  missing: missingForLines,
  async measure({ lines, scale, progress }) {
    const { relayAndForwarder } = await lines();
    const calls = Math.ceil(CALLS * scale);
    const rows: Row[] = [];
    for (const { call, way } of ways) {
      progress(`memory with payload ${way}`);
      const before = await relayAndForwarder.pssKiB();
      const work = { call, size: MiB, callers: 1, calls } as const;
      const samples = await pssWhile(relayAndForwarder, () => relayAndForwarder.measure(work));
      const middle = Math.ceil(samples.length / 2);
      const name = `${calls} MiB ${way}`;
      rows.push(
        { name: `${name}: before`, unit: "MiB", ours: before / 1024 },
        { name: `${name}: first half`, unit: "MiB", ours: peakMiB(samples.slice(0, middle)) },
        { name: `${name}: second half`, unit: "MiB", ours: peakMiB(samples.slice(middle)) },
      );
    }
    return rows;
  },
};

/** Samples in KiB, as long as the work goes on. */
async function pssWhile(line: Line, work: () => Promise<unknown>): Promise<readonly number[]> {
  const samples: number[] = [];
  const over = new AbortController();
  const sample = async (): Promise<void> => {
    while (!over.signal.aborted) {
      samples.push(await line.pssKiB());
      await delay(SAMPLE_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  await Promise.all([work().finally(() => over.abort()), sample()]);
  return samples;
}

function peakMiB(samplesKiB: readonly number[]): number {
  return Math.max(0, ...samplesKiB) / 1024;
}
