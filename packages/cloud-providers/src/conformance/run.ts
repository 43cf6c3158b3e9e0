import { randomBytes } from "node:crypto";
import { CONTRACT_VERSION } from "../contract.ts";
import type { Logger } from "../logger.ts";
import { Bench, type BenchShared } from "./bench.ts";
import type { ConformanceReport, RuleResult } from "./report.ts";
import { describe, RuleViolation, type Rule } from "./rule.ts";
import { conformanceRules } from "./rules/index.ts";
import { hasFacility, type ConformanceTarget } from "./target.ts";

/** What a run can be told. */
export interface ConformanceOptions {
  /** Default: all. */
  readonly rules?: readonly Rule[];
  /** No further rule is begun once it is aborted; those are reported as skipped. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  /** Called after each rule, e.g. to show progress. */
  readonly onResult?: (result: RuleResult) => void;
}

/**
 * Tries every rule on a provider, one after the other, and reports. It never throws for what a provider does.
 *
 * Instances are made, so on a real account this costs money. All of them carry the run's own cluster id; each rule's are
 * deleted when it is over, and what exists at the end beyond what existed at the start is in the report's `left`.
 */
export async function runConformance(
  target: ConformanceTarget,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const { rules = conformanceRules, signal, onResult } = options;
  const run = startRun(options.logger);
  const before = (await target.census?.()) ?? [];
  const results: RuleResult[] = [];
  for (const rule of rules) {
    const result: RuleResult =
      signal?.aborted === true
        ? { ...titleOf(rule), status: "skipped", reason: "the run was ended", durationMs: 0 }
        : await tryRule(rule, target, run);
    results.push(result);
    onResult?.(result);
  }
  const left = ((await target.census?.()) ?? []).filter((name) => !before.includes(name));
  return reportOf(target, { results, left });
}

/** The report on a target. */
export function reportOf(
  { name, abilities, environment }: ConformanceTarget,
  found: Pick<ConformanceReport, "results" | "left">,
): ConformanceReport {
  return {
    provider: name,
    contractVersion: CONTRACT_VERSION,
    abilities,
    ...(environment === undefined ? {} : { environment }),
    ...found,
  };
}

/** What the rules of one run share. */
export function startRun(logger?: Logger): BenchShared {
  const runId = `conformance-${randomBytes(6).toString("hex")}`;
  return { runId, said: [], ...(logger === undefined ? {} : { logger }) };
}

/** Tries one rule and tidies up after it. Never throws. */
export async function tryRule(rule: Rule, target: ConformanceTarget, run: BenchShared): Promise<RuleResult> {
  const reason = whyNot(rule, target);
  if (reason !== undefined) return { ...titleOf(rule), ...reason, durationMs: 0 };
  const started = performance.now();
  const drive = target.drive?.bind(target) ?? ((promise: Promise<void>) => promise);
  const bench = new Bench(target, run);
  let violation: string | undefined;
  try {
    await drive(rule.run(bench));
  } catch (error) {
    bench.hear(error);
    violation = error instanceof RuleViolation ? error.message : `it ended with ${describe(error)}`;
  }
  await drive(bench[Symbol.asyncDispose]()).catch((error: unknown) => bench.hear(error));
  const durationMs = Math.round(performance.now() - started);
  const { note } = bench;
  if (violation === undefined)
    return { ...titleOf(rule), status: "passed", ...(note === undefined ? {} : { note }), durationMs };
  return { ...titleOf(rule), status: "failed", reason: violation, durationMs };
}

function titleOf({ id, title, source }: Rule): Pick<RuleResult, "id" | "title" | "source"> {
  return { id, title, source };
}

function whyNot(
  { abilities = [], needs = [] }: Rule,
  target: ConformanceTarget,
): { readonly status: "not_offered" | "skipped"; readonly reason: string } | undefined {
  const ability = abilities.find((name) => !target.abilities.includes(name));
  if (ability !== undefined)
    return { status: "not_offered", reason: `the provider does not offer ${ability}` };
  const facility = needs.find((name) => !hasFacility(target, name));
  if (facility === undefined) return undefined;
  const nothingToTry = target.notOffered?.[facility];
  if (nothingToTry !== undefined) return { status: "not_offered", reason: nothingToTry };
  return { status: "skipped", reason: target.missing?.[facility] ?? `the environment has no ${facility}` };
}
