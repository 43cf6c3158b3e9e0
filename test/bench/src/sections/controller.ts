import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { missingBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { atMost, type Row, type Target } from "../report/row.ts";
import { startControllerStand, type ControllerProcess, type ControllerStand } from "../stand/controller.ts";
import { inParallel } from "../stand/in-parallel.ts";
import type { Section } from "./section.ts";

const DELETIONS = 1_000;
const MAX_SECONDS = 90;
const MAX_MIB = 180;
const KILLED_AT_WORK = 100;
const POPULATIONS = [10, 1_000, 10_000] as const;
const EVENTS = 300;
/** Time per event counts as flat when a thousand times as many PeerPods make it at most this much longer. */
const FLAT = 2;
const DONE = 'peerpod_ctrl_reconciles_total{outcome="done"}';

/** The bundled controller with 10 workers, a real API server, and a cloud that takes 200 ms a call. */
export const controller: Section = {
  name: "controller",
  title: "bundled controller, 10 workers, 200 ms a cloud call",
  missing: missingBinaries,
  async measure({ directory, scale, progress }) {
    const here = join(directory, "controller");
    await mkdir(here);
    await using stand = await startControllerStand(here);
    return [
      ...(await massDeletion(stand, { count: scaled(DELETIONS, scale), progress })),
      ...(await leaderKilled(stand, { count: scaled(KILLED_AT_WORK, scale), progress })),
      ...(await timePerEvent(stand, { scale, progress })),
    ];
  },
};

type Progress = (text: string) => void;

function scaled(count: number, scale: number): number {
  return Math.max(10, Math.round(count * scale));
}

async function massDeletion(
  stand: ControllerStand,
  { count, progress }: { readonly count: number; readonly progress: Progress },
): Promise<readonly Row[]> {
  progress(`controller: ${count} PeerPods deleted at once`);
  await stand.makePods("mass", count);
  await using process = await stand.start("mass");
  const [asked, deletions] = [await stand.requests(), stand.deletions()];
  const began = performance.now();
  await stand.deleteAll();
  await until("all gone", async () => (await stand.remaining()) === 0, { timeoutMs: 300_000, everyMs: 250 });
  const seconds = (performance.now() - began) / 1_000;
  const repeated = stand.deletions() - deletions - count;
  const peak = await process.peakMiB();
  const what = `${count} PeerPods deleted at once`;
  return [
    { name: `${what}: all gone`, unit: "s", ours: seconds, target: atMost(seconds, MAX_SECONDS) },
    {
      name: `${what}: deletions repeated`,
      unit: "calls",
      ours: repeated,
      target: atMost(repeated, 0, "none"),
    },
    { name: `${what}: requests for each`, unit: "calls", ours: ((await stand.requests()) - asked) / count },
    { name: `${what}: instances left`, unit: "", ours: stand.cloud.count().instances, target: none(stand) },
    { name: `${what}: peak memory`, unit: "MiB", ours: peak, target: atMost(peak, MAX_MIB) },
  ];
}

async function leaderKilled(
  stand: ControllerStand,
  { count, progress }: { readonly count: number; readonly progress: Progress },
): Promise<readonly Row[]> {
  progress(`controller: leader killed during ${count} deletions`);
  await stand.makePods("kill", count);
  await using first = await stand.start("first", ["--leader-elect"]);
  await until("first leads", async () => (await first.metric("peerpod_ctrl_leading")) === 1);
  await using _second = await stand.start("second", ["--leader-elect"]);
  const before = stand.deletions();
  await stand.deleteAll();
  await until("some are gone", async () => (await stand.remaining()) <= count * 0.8, {
    everyMs: 10,
    timeoutMs: 60_000,
  });
  const began = performance.now();
  first.kill("SIGKILL");
  await until("the other finishes", async () => (await stand.remaining()) === 0, { timeoutMs: 120_000 });
  return [
    {
      name: `leader killed -9 during ${count} deletions: the other is done`,
      unit: "s",
      ours: (performance.now() - began) / 1_000,
      note: `${stand.deletions() - before - count} asked for twice`,
    },
    { name: "the same: instances left", unit: "", ours: stand.cloud.count().instances, target: none(stand) },
  ];
}

function none(stand: ControllerStand): Target {
  return atMost(stand.cloud.count().instances, 0, "none");
}

async function timePerEvent(
  stand: ControllerStand,
  { scale, progress }: { readonly scale: number; readonly progress: Progress },
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let [made, first] = [0, 0];
  for (const wanted of POPULATIONS) {
    const count = Math.max(10, Math.round(wanted * scale));
    progress(`controller: ${EVENTS} events with ${count} PeerPods in the cluster`);
    await stand.makeRecords(`many-${count}`, count - made);
    made = count;
    await using process = await stand.start(`events-${count}`);
    const ms = await cpuPerEvent(stand, process);
    first = first === 0 ? ms : first;
    rows.push({
      name: `CPU per event with ${count} PeerPods`,
      unit: "ms",
      ours: ms,
      target: atMost(ms, first * FLAT, `at most ${FLAT} x the first`),
      note: `peak ${(await process.peakMiB()).toFixed(0)} MiB`,
    });
  }
  return rows;
}

/** CPU time of the controller for each change of a PeerPod that it looks at. */
async function cpuPerEvent(stand: ControllerStand, process: ControllerProcess): Promise<number> {
  const { items } = await stand.api.peerPods.list({ namespace: "default" });
  const some = Array.from({ length: EVENTS }, (_, n) => items[n % Math.min(items.length, 10)]);
  await until("it has looked at all", async () => (await process.metric(DONE)) >= items.length, {
    timeoutMs: 120_000,
  });
  const [before, cpuBefore] = [await process.metric(DONE), await process.cpuSeconds()];
  await inParallel(some, 1, async (peerPod, n) => {
    const name = peerPod?.metadata.name ?? "";
    const annotations = { bench: `${process.pid}-${n}` };
    await stand.api.peerPods.patch({ namespace: "default", name }, { metadata: { annotations } });
  });
  // One that is changed again before it was looked at is looked at once.
  let seen = before;
  await until(
    "events have been looked at",
    async () => {
      const now = await process.metric(DONE);
      const still = now === seen && now > before + EVENTS / 2;
      seen = now;
      return still;
    },
    { timeoutMs: 60_000, everyMs: 300 },
  );
  return (((await process.cpuSeconds()) - cpuBefore) * 1_000) / (seen - before);
}
