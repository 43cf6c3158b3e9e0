import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildGoProgram, startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import { execa } from "execa";
import { hopArgs, type HopOptions, type StartHop } from "./pair.ts";

const source = fileURLToPath(new URL("../../comparator", import.meta.url));

/** One measured load, times in microseconds. */
export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface Load {
  /** `unix:PATH` or `tcp:HOST:PORT`. */
  readonly dial: string;
  /** Directory with ca.crt, tls.crt and tls.key, for a hop that wants TLS. */
  readonly dialTls?: string;
  readonly call: "check" | "read" | "write";
  /** Bytes that each read returns or each write carries. */
  readonly size?: number;
  readonly callers: number;
  readonly calls: number;
}

/** The Go program: agent at the end of the line, hops that decode, hops that copy, and the load that drives everything. */
export async function createComparator(logFile: string): Promise<Comparator> {
  const program = await buildGoProgram(source, "comparator");
  const serve = async (args: readonly string[]): Promise<RunningProcess> => {
    const before = await linesReady(logFile);
    const running = await startProcess(program, args, { logFile });
    await until(`comparator ${args[0]} ready`, async () => (await linesReady(logFile)) > before);
    return running;
  };
  return {
    agent: ({ listen }) => serve(["agent", "-listen", listen]),
    hop: (options) => serve(["hop", ...hopArgs(options)]),
    pipe: (options) => serve(["pipe", ...hopArgs(options)]),
    async load({ dial, dialTls, call, size = 0, callers, calls }) {
      const { stdout } = await execa(
        program,
        [
          "load",
          ...["-dial", dial, "-call", call, "-size", String(size)],
          ...["-callers", String(callers), "-calls", String(calls)],
          ...(dialTls === undefined ? [] : ["-dial-tls", dialTls]),
        ],
        { timeout: 300_000 },
      );
      return JSON.parse(stdout) as LoadResult;
    },
  };
}

export interface Comparator {
  /** The end of the line. */
  readonly agent: (options: Pick<HopOptions, "listen">) => Promise<RunningProcess>;
  /** A hop that decodes each call and encodes it again. */
  readonly hop: StartHop;
  /** A hop that copies bytes; it knows no TLS and does not start with it. */
  readonly pipe: StartHop;
  readonly load: (load: Load) => Promise<LoadResult>;
}

async function linesReady(logFile: string): Promise<number> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line === "ready").length;
}
