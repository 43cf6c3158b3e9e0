import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Host } from "../host/host.ts";
import { InputStream } from "./input-stream.ts";
import { OutputStream } from "./output-stream.ts";
import { createStdioPipes } from "./pipes.ts";
import { endOfTerminal, terminalCommand, waitForTerminal } from "./terminal.ts";

/** A container process, seen through the OCI runtime that waits for it in the foreground. */
export interface RuntimeChild {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  /** The same stream as `stdout` for a terminal. */
  readonly stderr: OutputStream;
  /** Exit code of the runtime, which is that of the process: 128+n when signal n ended it. */
  readonly exited: Promise<number>;
  /** Ends the runtime itself, at once; for one that does not come to its end. */
  kill(): void;
}

/** How to start the runtime. */
export interface RuntimeCommand {
  readonly argv: readonly [string, ...string[]];
  readonly terminal: boolean;
  /** A directory that need not exist, for pipes on their way. */
  readonly scratch: string;
}

/** Starts the OCI runtime in the foreground. Fulfilled once it runs, which says nothing of the container process. */
export async function startRuntime(
  command: RuntimeCommand,
  host: Host,
  signal: AbortSignal,
): Promise<RuntimeChild> {
  return command.terminal ? startOnTerminal(command, host, signal) : startOnPipes(command, host, signal);
}

async function startOnPipes(
  { argv, scratch }: RuntimeCommand,
  host: Host,
  signal: AbortSignal,
): Promise<RuntimeChild> {
  const [program, ...args] = argv;
  const pipes = await createStdioPipes(scratch, host, signal);
  try {
    const child = spawn(program, args, { stdio: [...pipes.childFds], cwd: "/" });
    const exited = exitCode(child);
    await started(child);
    await pipes.releaseChildEnds();
    return {
      stdin: new InputStream(pipes.stdin, { closes: true }),
      stdout: new OutputStream(pipes.stdout),
      stderr: new OutputStream(pipes.stderr),
      exited,
      kill: () => child.kill("SIGKILL"),
    };
  } catch (error) {
    await pipes.destroy();
    throw error;
  }
}

async function startOnTerminal(
  { argv }: RuntimeCommand,
  host: Host,
  signal: AbortSignal,
): Promise<RuntimeChild> {
  const command = terminalCommand(argv, host.tools);
  const [program, ...args] = command.argv;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"], cwd: "/", env: command.env });
  child.stdin.on("error", () => {});
  const exited = exitCode(child);
  await started(child);
  try {
    await waitForTerminal(child.stdout, signal);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const stdout = new OutputStream(child.stdout, endOfTerminal);
  return {
    stdin: new InputStream(child.stdin, { closes: false }),
    stdout,
    stderr: stdout,
    exited,
    kill: () => child.kill("SIGKILL"),
  };
}

/** Rejects when the program cannot be started at all. */
async function started(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) await once(child, "spawn");
}

/** Never rejects: a program that cannot be started is reported by `started`. */
function exitCode(child: ChildProcess): Promise<number> {
  child.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  return promise;
}
