import { PodNetworkError } from "../errors.ts";
import type { CommandRequest, CommandResult, RunCommand } from "./run.ts";
import { Shell } from "./shell.ts";

/** Programs at once. They are short, and the kernel serialises most of what they ask for. */
const DEFAULT_LIMIT = 4;

/** Runs programs by way of shells that stay. Disposing ends them and rejects what they run; it can be repeated. */
export interface CommandShells extends Disposable {
  readonly run: RunCommand;
}

/**
 * For a long-lived process that runs many programs: to fork it costs milliseconds, in which it does nothing else, while a
 * shell forks in a fraction of one. At most `limit` programs (default 4) run at once; more wait in the order they came.
 * Shells are made when they are first needed. Input is taken as whole lines.
 */
export function createCommandShells({
  limit = DEFAULT_LIMIT,
}: { readonly limit?: number } = {}): CommandShells {
  const shells = new Set<Shell>();
  const idle: Shell[] = [];
  const waiting = new Set<() => void>();
  let free = limit;
  let disposed = false;

  /** Resolves when a program may run; the place is given back by `release`. */
  async function place(signal: AbortSignal | undefined): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const onAbort = (): void => {
      if (waiting.delete(turn.resolve)) turn.reject(signal?.reason);
    };
    waiting.add(turn.resolve);
    signal?.addEventListener("abort", onAbort, { once: true });
    await turn.promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  function release(): void {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else {
      waiting.delete(next);
      next();
    }
  }

  async function run(request: CommandRequest): Promise<CommandResult> {
    request.signal?.throwIfAborted();
    await place(request.signal);
    try {
      if (disposed) throw new PodNetworkError("command_failed", "the shells were closed");
      const shell = idle.pop() ?? new Shell();
      shells.add(shell);
      try {
        return await shell.run(request);
      } finally {
        if (shell.usable) idle.push(shell);
        else shells.delete(shell);
      }
    } finally {
      release();
    }
  }

  return {
    run,
    [Symbol.dispose]() {
      disposed = true;
      idle.length = 0;
      for (const shell of shells) shell[Symbol.dispose]();
      shells.clear();
    },
  };
}
