import { constants } from "node:os";
import type { RunningContainer } from "../../shim-client/index.ts";
import type { CommandContext } from "../context.ts";

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/**
 * Passes signals of this program to the container, and with a terminal its size and every key. Disposal gives the terminal
 * back as it was.
 */
export function passSignals(
  container: RunningContainer,
  { context, tty }: { context: CommandContext; tty: boolean },
): Disposable {
  const { stdin, stdout } = context;
  const stack = new DisposableStack();
  const ignore = (): undefined => undefined;
  for (const name of passedOn) {
    const pass = (): void => void container.signal(constants.signals[name]).catch(ignore);
    process.on(name, pass);
    stack.defer(() => process.off(name, pass));
  }
  if (tty) {
    const resize = (): void => {
      const { rows, columns } = stdout;
      if (rows !== undefined && columns !== undefined) void container.resize({ rows, columns }).catch(ignore);
    };
    resize();
    process.on("SIGWINCH", resize);
    stack.defer(() => process.off("SIGWINCH", resize));
    if (stdin.isTTY === true && stdin.setRawMode !== undefined) {
      stdin.setRawMode(true);
      stack.defer(() => stdin.setRawMode?.(false));
    }
  }
  return stack;
}
