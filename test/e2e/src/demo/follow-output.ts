import { execa } from "execa";
import { until } from "@peerpods/test-harness";

/** A run of the tool whose output is read line by line while it goes on. */
export interface FollowedOutput extends AsyncDisposable {
  readonly lines: readonly string[];
  /** Waits for a line that fits, also one that has passed. */
  line(pattern: RegExp): Promise<void>;
  /** Waits for the next new line that fits and returns the number in it. */
  next(pattern: RegExp): Promise<number>;
  /** Asks it to end. */
  kill(): void;
  readonly ended: Promise<{ exitCode: number; timeline: string }>;
}

/** Starts Node with these arguments and tells each line of its standard output as it comes. */
export function followOutput(args: readonly string[], onLine: (line: string) => void): FollowedOutput {
  const child = execa(process.execPath, args, { reject: false, timeout: 120_000 });
  const lines: string[] = [];
  const reading = (async () => {
    for await (const line of child) {
      lines.push(line);
      onLine(line);
    }
  })();
  const ended = (async () => {
    await reading;
    const { exitCode, stderr } = await child;
    return { exitCode: exitCode ?? -1, timeline: stderr };
  })();
  let over = false;
  void ended.finally(() => (over = true)).catch(() => undefined);
  const search = async <T>(pattern: RegExp, find: () => T | undefined): Promise<T> =>
    await until(`a line like ${pattern}`, () => {
      const found = find();
      if (found === undefined && over) throw new Error("the run has ended");
      return found;
    });
  return {
    lines,
    line: async (pattern) => void (await search(pattern, () => lines.find((line) => pattern.test(line)))),
    next: async (pattern) => {
      const from = lines.length;
      return await search(pattern, () => {
        const match = lines.slice(from).flatMap((line) => pattern.exec(line)?.[1] ?? []);
        return match[0] === undefined ? undefined : Number(match[0]);
      });
    },
    kill: () => void child.kill("SIGTERM"),
    ended,
    async [Symbol.asyncDispose]() {
      if (over) return;
      // The tool passes it on, stops the pod and ends; one that does not is ended.
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await ended.catch(() => undefined);
      clearTimeout(timer);
    },
  };
}
