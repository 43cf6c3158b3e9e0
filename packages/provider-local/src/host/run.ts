import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

/** Runs a program on this machine. */
export type Run = (file: string, args: readonly string[], options: RunOptions) => Promise<string>;

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Written to standard input, which is then closed. Default: empty. */
  readonly input?: string;
  /** An open file of ours that the program gets as descriptor 3. */
  readonly inheritFd?: number;
  readonly cwd?: string;
  /** Default 15 seconds. */
  readonly timeoutMs?: number;
  /** Exit codes other than 0 that are no failure. */
  readonly alsoAccept?: readonly number[];
}

/** A program could not be started, failed or took too long. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly file: string;
  readonly stderr: string;
  /** Of a program that ended by itself. */
  readonly exitCode: number | undefined;

  constructor(file: string, stderr: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(`${file} failed: ${stderr.trim() || "no message"}`, options);
    this.file = file;
    this.stderr = stderr;
    this.exitCode = options.exitCode;
  }
}

const DEFAULT_TIMEOUT_MS = 15_000;
const MAX_OUTPUT_BYTES = 1 << 20;

/**
 * The real {@link Run}: no shell, a small fixed environment, output limited to 1 MiB.
 * Resolves with standard output. Rejects with {@link CommandError}, or with `signal.reason` when aborted.
 *
 * Uses spawn itself, because libraries for it do not pass on open files.
 */
export const runCommand: Run = async (file, args, options) => {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  signal.throwIfAborted();
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe", ...(options.inheritFd === undefined ? [] : [options.inheritFd])],
    env: { PATH: searchPath.join(":"), LC_ALL: "C" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    killSignal: "SIGKILL",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("unreachable: all are pipes");
  // A program that ends without reading is judged by its exit code.
  stdin.on("error", () => undefined);
  stdin.end(options.input ?? "");
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const settled = await Promise.allSettled([ended, limitedText(stdout), limitedText(stderr)]);
  signal.throwIfAborted();
  const [end, out, err] = settled;
  const failure = settled.find((result) => result.status === "rejected");
  if (failure !== undefined || end.status !== "fulfilled" || out.status !== "fulfilled")
    throw new CommandError(file, messageOf(failure?.reason, timeoutMs), { cause: failure?.reason });
  const [code, killedBy] = end.value;
  if (code === 0 || (code !== null && options.alsoAccept?.includes(code))) return out.value;
  const message = err.status === "fulfilled" ? err.value : "";
  throw new CommandError(file, message.trim() || `ended with ${killedBy ?? `code ${code}`}`, {
    ...(code === null ? {} : { exitCode: code }),
  });
};

async function limitedText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) throw new Error(`its output exceeds ${MAX_OUTPUT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function messageOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return "no message";
  return error.name === "AbortError" ? `not done after ${timeoutMs} ms` : error.message;
}

/** Where programs are looked for. Fixed, so that a service without an environment finds the same ones. */
export const searchPath: readonly string[] = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];
