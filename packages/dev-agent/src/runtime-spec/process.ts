import type { LinuxCapabilities, Process } from "@peerpods/kata-protocols/oci";
import { invalidArgument } from "../errors.ts";
import { omitEmpty } from "./omit-empty.ts";

/**
 * A process as the runtime reads it (`process` of config.json, or the file of `exec --process`).
 * AppArmor and SELinux are left out: the VM has neither, and the worker's profiles mean nothing in it.
 */
export function runtimeProcess(process: Process | undefined, oomScoreAdj: OomScoreRule): object {
  if (process === undefined || process.Args.length === 0)
    throw invalidArgument("the request names no command to run");
  return {
    terminal: process.Terminal,
    ...omitEmpty({
      consoleSize: omitEmpty({ height: process.ConsoleSize?.Height, width: process.ConsoleSize?.Width }),
      env: process.Env,
      capabilities: capabilities(process.Capabilities),
      rlimits: process.Rlimits.map(({ Type, Hard, Soft }) => ({ type: Type, hard: Hard, soft: Soft })),
      noNewPrivileges: process.NoNewPrivileges,
    }),
    user: {
      uid: process.User?.UID ?? 0,
      gid: process.User?.GID ?? 0,
      ...omitEmpty({ additionalGids: process.User?.AdditionalGids }),
    },
    args: process.Args,
    cwd: process.Cwd === "" ? "/" : process.Cwd,
    oomScoreAdj: oomScoreAdj(Number(process.OOMScoreAdj)),
  };
}

/** Which oom_score_adj a process gets that asks for `wanted`. */
export type OomScoreRule = (wanted: number) => number;

/**
 * Without CAP_SYS_RESOURCE nobody may go below the score they have; asking for it would end the container. The pause
 * container asks for -998.
 */
export function oomScoreRule(own: { score: number; mayLower: boolean }): OomScoreRule {
  return (wanted) => (own.mayLower ? wanted : Math.max(wanted, own.score));
}

function capabilities(sets: LinuxCapabilities | undefined): object | undefined {
  if (sets === undefined) return undefined;
  return omitEmpty({
    bounding: sets.Bounding,
    effective: sets.Effective,
    inheritable: sets.Inheritable,
    permitted: sets.Permitted,
    ambient: sets.Ambient,
  });
}
