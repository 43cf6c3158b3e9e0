import { inspect } from "node:util";
import type { PreparedTarget, TestRunner } from "./define-tests.ts";
import { runSeededFaults, seededRunCount } from "./seeded-runs.ts";

/** Of the whole series of `pnpm soak`. */
const TIMEOUT_MS = 3_600_000;

/**
 * Defines two tests of random lives of instances under faults, the same in every run: one in which each fault is a failure
 * of the call, and one in which calls are repeated as in production. Each ends with the account as it was.
 * @param prepare makes a target of its own for each.
 * @param options.share lives in every test run; see {@link seededRunCount} for longer series.
 */
export function defineSeededRuns(
  runner: Pick<TestRunner, "describe" | "it">,
  prepare: (options: { readonly repeat: boolean }) => Promise<PreparedTarget>,
  { share }: { readonly share: number },
): void {
  const runs = seededRunCount(share);
  runner.describe(`${runs} random lives of instances`, () => {
    for (const { when, repeat, seed } of [
      { when: "each fault is a failure", repeat: false, seed: 7 },
      { when: "calls are repeated", repeat: true, seed: 11 },
    ])
      runner.it(
        `end with the account as it was when ${when}`,
        async () => {
          const { target, dispose } = await prepare({ repeat });
          try {
            const before = await target.census?.();
            const { done, failures } = await runSeededFaults(target, { runs, seed });
            if (done !== runs || failures.length > 0)
              throw new Error(
                `${done} of ${runs} lives were lived; failures: ${inspect(failures, { depth: 6 })}`,
              );
            const left = ((await target.census?.()) ?? []).filter((name) => before?.includes(name) === false);
            if (left.length > 0) throw new Error(`left are ${left.join(", ")}`);
          } finally {
            await dispose?.();
          }
        },
        TIMEOUT_MS,
      );
  });
}
