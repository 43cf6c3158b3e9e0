import { Code, ConnectError } from "@connectrpc/connect";
import { execa } from "execa";
import type { VolumeCall } from "./cloud-volumes.ts";

/** What a program said and how it ended. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program; resolves also when it fails.
 * @throws ConnectError INTERNAL when it cannot be started; the signal's reason when that ended it
 */
export type RunProgram = (
  program: string,
  args: readonly string[],
  call: VolumeCall,
) => Promise<ProgramResult>;

export const runProgram: RunProgram = async (program, args, { signal }) => {
  const { exitCode, stdout, stderr, shortMessage } = await execa(program, args, {
    reject: false,
    cancelSignal: signal,
    env: { LC_ALL: "C" },
  });
  signal.throwIfAborted();
  if (exitCode === undefined) throw new ConnectError(`${program}: ${shortMessage}`, Code.Internal);
  return { exitCode, stdout, stderr };
};

/** Runs a program that must succeed; otherwise what it said becomes the error. */
export async function runOrThrow(
  run: RunProgram,
  [program, ...args]: readonly [string, ...string[]],
  call: VolumeCall,
): Promise<void> {
  const { exitCode, stderr } = await run(program, args, call);
  if (exitCode !== 0) throw new ConnectError(`${program} ${args.join(" ")}: ${stderr.trim()}`, Code.Internal);
}
