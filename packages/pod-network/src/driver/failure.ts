import { PodNetworkError, type PodNetworkErrorCode } from "../errors.ts";
import type { CommandResult } from "./run.ts";

/** What the programs say, and what it means. The first match counts. */
const meanings: readonly (readonly [RegExp, PodNetworkErrorCode])[] = [
  [/VXLAN device with the specified VNI already exists/, "vni_in_use"],
  [/nsenter: failed to execute/, "tool_missing"],
  [/nsenter: (?:cannot open|reassociate to namespace)/, "no_namespace"],
  [/Invalid "netns" value/, "no_namespace"],
  [/No such file or directory|Cannot find device|Cannot find specified qdisc/, "not_found"],
  [/File exists|Exclusivity flag on/, "exists"],
];

interface Attempt {
  readonly program: string;
  /** The batch or script it was given. */
  readonly input: string;
  readonly netns: string | undefined;
}

/** Turns a failed run into an error that names the command and quotes what the program said. */
export function commandFailure({ program, input, netns }: Attempt, result: CommandResult): PodNetworkError {
  const said = result.stderr.trim().replaceAll(/\s*\n\s*/g, "; ") || `exit code ${result.exitCode}`;
  const code = meanings.find(([pattern]) => pattern.test(said))?.[1] ?? "command_failed";
  const where = netns === undefined ? "" : ` in ${netns}`;
  return new PodNetworkError(code, `${program} ${failedLine(input, said)}${where}: ${said}`);
}

/** Of a batch, the command that iproute2 says it stopped at; else the first line. */
function failedLine(input: string, said: string): string {
  const lines = input.split("\n");
  const number = Number(/Command failed -:(\d+)/.exec(said)?.[1] ?? "1");
  return lines[number - 1] ?? "";
}
