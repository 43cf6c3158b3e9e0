import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with the one plain line that CI and people read: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    let brokenFiles = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that fails outside of any test (import, hook) has no failing test of its own.
      if (
        module.state() === "failed" &&
        ![...module.children.allTests()].some((t) => t.result().state === "failed")
      )
        brokenFiles++;
    }
    const failed = count.failed + brokenFiles + unhandledErrors.length;
    const line = `${count.passed} passed, ${failed} failed, ${count.skipped + count.pending} skipped`;
    // After the default reporter's own summary, which vitest prints in the same phase.
    process.once("exit", () => process.stdout.write(`${line}\n`));
  }
}
