import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { PodNetworkError } from "../errors.ts";
import { type CommandRequest, type CommandResult, MAX_OUTPUT_BYTES, missingTool, overdue } from "./run.ts";

/** Exit codes of a program that the shell saw killed: 128 and the signal's number. */
const killedBySignal = { from: 129, to: 192 } as const;
/** Exit code of a program that the shell did not find. */
const NOT_FOUND = 127;

/**
 * A shell that stays and runs one program after another, each as its own child. A program started so costs a fork of
 * this small process instead of one of the caller's, which takes many times as long and stops the caller meanwhile.
 *
 * It is a process group of its own, so that a program can be ended with it. When its caller is gone, it finishes what it
 * is doing and ends.
 */
export class Shell implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Ends each output. No program can know it. */
  readonly #mark = randomUUID();
  #stdout = "";
  #stderr = "";
  #running:
    | { readonly request: CommandRequest; readonly outcome: PromiseWithResolvers<CommandResult> }
    | undefined;
  #failure: Error | undefined;

  constructor() {
    // Messages are compared with what the programs say in English.
    this.#child = spawn("sh", [], { detached: true, env: { ...process.env, LC_ALL: "C" } });
    const { stdin, stdout, stderr } = this.#child;
    this.#child.on("error", (cause) => this.#fail(shellFailure(cause)));
    this.#child.on("exit", () => this.#fail(new PodNetworkError("command_failed", "the shell has ended")));
    // A shell that is gone closes its input; that it is gone says more than the broken pipe.
    stdin.on("error", () => undefined);
    stdout.setEncoding("utf8").on("data", (text: string) => this.#onOutput(text, ""));
    stderr.setEncoding("utf8").on("data", (text: string) => this.#onOutput("", text));
    this.#keepAlive(false);
  }

  /** Whether it can run another program. */
  get usable(): boolean {
    return this.#failure === undefined;
  }

  /** Runs one program; the next may follow when this has settled. As {@link runCommand}, but for whole lines of input. */
  async run(request: CommandRequest): Promise<CommandResult> {
    request.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const { program, timeoutMs, signal } = request;
    const outcome = Promise.withResolvers<CommandResult>();
    const onAbort = (): void => this.#fail(signal?.reason as Error);
    const timer = setTimeout(() => this.#fail(overdue(program, timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#running = { request, outcome };
    this.#keepAlive(true);
    this.#child.stdin.write(scriptFor(request, this.#mark));
    try {
      return await outcome.promise;
    } finally {
      this.#running = undefined;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#keepAlive(false);
    }
  }

  /** Ends the shell and what it runs. */
  [Symbol.dispose](): void {
    this.#fail(new PodNetworkError("command_failed", "the shell was closed"));
  }

  #onOutput(stdout: string, stderr: string): void {
    this.#stdout += stdout;
    this.#stderr += stderr;
    const running = this.#running;
    if (running === undefined) return;
    const { program } = running.request;
    if (this.#stdout.length + this.#stderr.length > MAX_OUTPUT_BYTES) {
      this.#fail(
        new PodNetworkError("command_failed", `${program} said more than ${MAX_OUTPUT_BYTES} bytes`),
      );
      return;
    }
    const exitCode = this.#exitCode();
    if (exitCode === undefined) return;
    const result = {
      exitCode,
      stdout: this.#stdout.slice(0, this.#stdout.lastIndexOf(this.#mark)),
      stderr: this.#stderr.slice(0, -this.#mark.length),
    };
    this.#stdout = "";
    this.#stderr = "";
    if (exitCode === NOT_FOUND && isNotFound(result.stderr, program))
      running.outcome.reject(missingTool(program));
    else if (exitCode >= killedBySignal.from && exitCode <= killedBySignal.to) {
      running.outcome.reject(new PodNetworkError("command_failed", `${program} did not run to its end`));
    } else running.outcome.resolve(result);
  }

  /** Once both outputs are complete. */
  #exitCode(): number | undefined {
    if (!this.#stdout.endsWith("\n") || !this.#stderr.endsWith(this.#mark)) return undefined;
    const at = this.#stdout.lastIndexOf(this.#mark);
    return at === -1 ? undefined : Number(this.#stdout.slice(at + this.#mark.length));
  }

  /** The shell is in an unknown state, so it ends; what it ran rejects. Later failures follow from the first. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#running?.outcome.reject(error);
    const { pid } = this.#child;
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }

  /** An idle shell does not keep its caller's process from ending. */
  #keepAlive(wanted: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const handle of [this.#child, stdin, stdout, stderr] as readonly Partial<Handle>[]) {
      if (wanted) handle.ref?.();
      else handle.unref?.();
    }
  }
}

interface Handle {
  ref(): unknown;
  unref(): unknown;
}

/** A program with its input, and behind it the mark on both outputs. */
function scriptFor({ program, args, input }: CommandRequest, mark: string): string {
  const words = [program, ...args].map(quoted).join(" ");
  const lines = input === "" || input.endsWith("\n") ? input : `${input}\n`;
  return `${words} <<'${mark}'\n${lines}${mark}\nprintf '%s %d\\n' ${mark} $?; printf %s ${mark} >&2\n`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function isNotFound(stderr: string, program: string): boolean {
  const said = stderr.trimEnd();
  return said.endsWith(`${program}: not found`) || said.endsWith(`${program}: command not found`);
}

function shellFailure(cause: Error): PodNetworkError {
  return "code" in cause && cause.code === "ENOENT"
    ? missingTool("sh")
    : new PodNetworkError("command_failed", "a shell cannot be started", { cause });
}
