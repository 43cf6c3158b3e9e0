import type { RuntimeChild } from "./runtime-child.ts";

/** A process of a container: its init or an exec. */
export class GuestProcess {
  readonly execId: string;
  readonly terminal: boolean;
  /** Number of the process as the agent sees it. */
  readonly pid: number;
  readonly stdin: RuntimeChild["stdin"];
  readonly stdout: RuntimeChild["stdout"];
  readonly stderr: RuntimeChild["stderr"];
  /** Exit code, or 128+n when signal n ended it. */
  readonly exited: Promise<number>;
  #over = false;

  constructor(options: { execId: string; terminal: boolean; pid: number; child: RuntimeChild }) {
    const { execId, terminal, pid, child } = options;
    this.execId = execId;
    this.terminal = terminal;
    this.pid = pid;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    this.exited = child.exited;
    void this.exited.then(() => this.#drain());
  }

  /** Whether it has ended; from then on its number may belong to another process. */
  get over(): boolean {
    return this.#over;
  }

  /** Lets the pipes go, for when nobody is going to read any more. Can be repeated. */
  release(): void {
    this.stdin.destroy();
    this.stdout.destroy();
    this.stderr.destroy();
  }

  #drain(): void {
    this.#over = true;
    this.stdin.destroy();
    // A terminal ends by itself, when the last process that has it is gone.
    if (this.terminal) return;
    this.stdout.drain();
    this.stderr.drain();
  }
}
