import { silentObserver } from "../controller/observer.ts";
import { sweep, type SweepReport, type SweptInstance } from "../controller/sweep/sweep.ts";
import type { ManagerParts } from "./manager.ts";
import { openWorkingParts } from "./working-parts.ts";

/**
 * One sweep on demand: prints what was found and done.
 * @returns the exit code: 1 when an instance could not be deleted or a provider not be swept.
 */
export async function runSweepCommand(
  parts: ManagerParts,
  options: {
    readonly dryRun: boolean;
    readonly output: "table" | "json";
    readonly stdout: (text: string) => void;
  },
  stop: AbortSignal,
): Promise<number> {
  const { settings, kube, identity } = parts;
  const ending = new AbortController();
  const signal = AbortSignal.any([stop, ending.signal]);
  try {
    await using opened = await openWorkingParts({
      ...parts,
      manager: settings,
      instance: identity,
      observer: silentObserver,
      stop,
      signal,
      onSettings: () => undefined,
    });
    const report = await sweep(
      {
        kube,
        providers: opened.configuredProviders(),
        graceMs: settings.sweepGraceMs,
        dryRun: options.dryRun,
      },
      opened.context,
    );
    options.stdout(
      options.output === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : sweepTable(report),
    );
    const failed = report.instances.some(({ action }) => action === "failed");
    return failed || report.skipped.length > 0 ? 1 : 0;
  } finally {
    ending.abort();
  }
}

/** The report for people: one line per instance, then one sentence. */
export function sweepTable({ instances, skipped }: SweepReport): string {
  const rows = [
    ["PROVIDER", "INSTANCE", "POD", "NODE", "AGE", "FINDING", "ACTION"],
    ...instances.map((found) => [
      found.provider,
      found.instanceId,
      found.podName === "" ? "-" : `${found.podNamespace}/${found.podName}`,
      found.nodeName === "" ? "-" : found.nodeName,
      age(found.ageMs),
      found.finding,
      found.problem === undefined ? found.action : `${found.action}: ${found.problem}`,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const count = (...actions: SweptInstance["action"][]) =>
    instances.filter(({ action }) => actions.includes(action)).length;
  const orphans = count("waiting", "would delete", "deleted", "failed");
  return [
    ...(instances.length === 0 ? [] : lines),
    ...skipped.map(({ provider, why }) => `${provider}: not swept: ${why}`),
    `${instances.length} instances of this cluster, ${orphans} orphaned, ${count("deleted")} deleted`,
    "",
  ].join("\n");
}

function age(ms: number | undefined): string {
  if (ms === undefined) return "?";
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3_600)}h`;
}
