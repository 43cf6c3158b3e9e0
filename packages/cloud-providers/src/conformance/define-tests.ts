import type { ConformanceReport, RuleResult } from "./report.ts";
import type { ConformanceOptions } from "./run.ts";
import { reportOf, startRun, tryRule } from "./run.ts";
import { conformanceRules } from "./rules/index.ts";
import type { ConformanceTarget } from "./target.ts";

/** The parts of vitest that are used. Passing them in keeps this package free of a test runner. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  it(name: string, test: (context: { skip(note: string): void }) => Promise<void>, timeoutMs: number): void;
  beforeAll(prepare: () => Promise<void>): void;
  afterAll(tidyUp: () => Promise<void>): void;
}

/** A target, and how to take its environment down again. */
export interface PreparedTarget {
  readonly target: ConformanceTarget;
  readonly dispose?: () => Promise<void>;
}

/**
 * Defines one test for each rule; what is not offered or cannot be tried is skipped with its reason. The last test
 * fails if something is left in the account.
 *
 * @example
 * import { afterAll, beforeAll, describe, it } from "vitest";
 * defineConformanceTests({ afterAll, beforeAll, describe, it }, () => Promise.resolve({ target }));
 */
export function defineConformanceTests(
  runner: TestRunner,
  prepare: () => Promise<PreparedTarget>,
  {
    rules = conformanceRules,
    logger,
    timeoutMs = 60_000,
    onReport,
  }: Pick<ConformanceOptions, "rules" | "logger"> & {
    readonly timeoutMs?: number;
    /** Told the whole result, unless only some of the tests were run. */
    readonly onReport?: (report: ConformanceReport) => Promise<void>;
  } = {},
): void {
  runner.describe("conformance", () => {
    const run = startRun(logger);
    let prepared: PreparedTarget | undefined;
    let before: readonly string[] = [];
    let left: readonly string[] = [];
    const results: RuleResult[] = [];
    const target = () => {
      if (prepared === undefined) throw new Error("the target was not prepared");
      return prepared.target;
    };
    runner.beforeAll(async () => {
      prepared = await prepare();
      before = (await target().census?.()) ?? [];
    });
    runner.afterAll(async () => {
      if (results.length === rules.length) await onReport?.(reportOf(target(), { results, left }));
      await prepared?.dispose?.();
    });
    for (const rule of rules) {
      runner.it(
        `${rule.id}: ${rule.title}`,
        async (context) => {
          const result = await tryRule(rule, target(), run);
          results.push(result);
          const { status, reason = "" } = result;
          if (status === "not_offered" || status === "skipped") context.skip(reason);
          if (status === "failed") throw new Error(reason);
        },
        timeoutMs,
      );
    }
    runner.it(
      "leaves nothing in the account",
      async () => {
        left = ((await target().census?.()) ?? []).filter((name) => !before.includes(name));
        if (left.length > 0) throw new Error(`left are ${left.join(", ")}`);
      },
      timeoutMs,
    );
  });
}
