import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Phase, SandboxRecord } from "./record.ts";
import { decideAfterRestart } from "./recover.ts";
import { defaultReaping } from "./settings.ts";
import { crashMoments } from "./testing/crash.ts";
import { patient, sandboxId, createRequest, World } from "./testing/world.ts";
import * as transitions from "./transitions.ts";

const text = await readFile(new URL("../../../../docs/lifecycle.md", import.meta.url), "utf8");

/** Cells of a section's table: code words without their quotes, other cells as they are; without the head. */
function tableOf(section: string): string[][] {
  const part = text.split(/^## /m).find((candidate) => candidate.startsWith(`${section}\n`)) ?? "";
  const rows = part.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

/** The type checker sees to it that this is every phase. */
const everyPhase: Record<Phase, true> = {
  created: true,
  starting: true,
  running: true,
  stopping: true,
  failed: true,
};
const phases = Object.keys(everyPhase) as Phase[];

const record = await (async () => {
  await using world = new World();
  const daemon = await world.daemon();
  await daemon.create(createRequest(), patient);
  await daemon.start(sandboxId, patient);
  const [running] = daemon.list();
  if (running === undefined) throw new Error("the sandbox does not run");
  return running.record;
})();
const { instance, tunnel } = record;
if (instance === undefined || tunnel === undefined) throw new Error("the sandbox has no instance or tunnel");

type Move = Exclude<keyof typeof transitions, "isEnding">;
const nowMs = 1;
const token = record.attempts[0]?.token ?? "";
const moves: Record<Move, (record: SandboxRecord) => SandboxRecord> = {
  attemptIntended: (from) =>
    transitions.attemptIntended(from, { attempt: { number: from.lastAttempt + 1, token: "next" }, nowMs }),
  instanceKnown: (from) => transitions.instanceKnown(from, { token, instance, nowMs }),
  attemptLeftNothing: (from) => transitions.attemptLeftNothing(from, token),
  connectionIntended: (from) => transitions.connectionIntended(from, tunnel),
  nowRunning: (from) => transitions.nowRunning(from, { tunnelMs: 1, connectedMs: 1, nowMs }),
  nowEnding: (from) => transitions.nowEnding(from, { phase: "stopping", reason: "StopVM", nowMs }),
};

function resultOf(move: (record: SandboxRecord) => SandboxRecord, phase: Phase): string {
  try {
    return move({ ...record, phase }).phase;
  } catch {
    return "refused";
  }
}

describe("docs/lifecycle.md says what the code does", () => {
  it("names every phase", () => {
    expect(tableOf("Phases").map(([phase]) => phase)).toEqual(phases);
  });

  it("names every move and where it leads from each phase", () => {
    const documented = tableOf("Moves").map(([move = "", _follows, ...results]) => [move, results]);
    const actual = Object.entries(moves).map(([name, move]) => [
      name,
      phases.map((phase) => resultOf(move, phase)),
    ]);
    expect(documented).toEqual(actual);
  });

  it("gives the times of reaping", () => {
    expect(text).toContain(`Every ${defaultReaping.intervalMs} ms the daemon looks`);
    const documented = tableOf("Reaping").map(([setting = "", ms]) => [setting, Number(ms)]);
    const { intervalMs: _, ...graces } = defaultReaping;
    expect(Object.fromEntries(documented)).toEqual(graces);
  });

  it("says what becomes of each phase after a crash, and at which moments one is tried", () => {
    const relay = {
      sandboxId,
      socketPath: record.agentSocketPath,
      target: { host: "192.0.2.1", port: 15_150 },
      state: "connected",
      shim: "connected",
      sinceMs: 0,
      frames: { toVm: 0, toShim: 0 },
      bytes: { toVm: 0, toShim: 0 },
      reconnects: 0,
    } as const;
    const rows = tableOf("After the daemon died");
    const outcome = (phase: Phase, carried: typeof relay | undefined): string => {
      const decision = decideAfterRestart({ ...record, phase }, carried);
      return decision.action === "keep" ? "kept" : `removed as ${decision.phase}`;
    };
    expect(rows.slice(0, phases.length)).toEqual(
      phases.map((phase) => [phase, outcome(phase, relay), outcome(phase, undefined)]),
    );
    expect(rows.slice(phases.length).map(([moment]) => moment)).toEqual([...crashMoments]);
  });
});
