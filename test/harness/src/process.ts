import { execa } from "execa";

/** A program that a test started and that ends with the test. */
export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended, with its exit code (`undefined` after a signal); never rejects. */
  readonly ended: Promise<number | undefined>;
  /** Sends SIGTERM, and SIGKILL after `graceMs` (default 10 s). Can be repeated. */
  stop(options?: { graceMs?: number }): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `program` with its output going to `logFile`. */
export async function startProcess(
  program: string,
  args: readonly string[],
  { logFile, env = {}, cwd }: { logFile: string; env?: Record<string, string>; cwd?: string },
): Promise<RunningProcess> {
  const log = { file: logFile, append: true } as const;
  const child = execa(program, args, {
    stdin: "ignore",
    stdout: log,
    stderr: log,
    env,
    reject: false,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const ended = child.then((result) => result.exitCode);
  if (child.pid === undefined) throw new Error(`cannot start ${program}`, { cause: (await child).cause });
  const stop = async ({ graceMs = 10_000 }: { graceMs?: number } = {}) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(timer);
  };
  return {
    pid: child.pid,
    ended,
    stop,
    kill: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: () => stop(),
  };
}
