import { type RunCommand, runCommand } from "../driver/run.ts";
import { PodNetworkError } from "../errors.ts";

/** How the chosen run goes wrong: the program reports an error, or does its work and is then thought dead. */
export type Fault = "refused" | "done but timed out";

export interface FailingRun {
  readonly run: RunCommand;
  /** The programs that were run, with their input. */
  readonly calls: readonly string[];
}

/** Runs programs for real, except for one that goes wrong: by number (from 0), or each whose input matches. */
export function failingRun(which: number | RegExp, fault: Fault): FailingRun {
  const calls: string[] = [];
  return {
    calls,
    run: async (request) => {
      const count = calls.push(`${request.args.join(" ")}: ${request.input}`);
      const isChosen = typeof which === "number" ? count - 1 === which : which.test(request.input);
      if (!isChosen) return runCommand(request);
      if (fault === "refused") return { exitCode: 1, stdout: "", stderr: "injected fault" };
      await runCommand(request);
      throw new PodNetworkError("timeout", "injected timeout");
    },
  };
}
