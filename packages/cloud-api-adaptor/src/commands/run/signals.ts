import { constants } from "node:os";
import type { RunningContainer } from "../../shim-client/index.ts";
import type { CommandContext } from "../context.ts";

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** So many SIGINT and SIGTERM mean that the caller no longer cares what the container makes of them. */
const INSISTING = 3;

/** Signals on their way to a container. Disposal gives the terminal back as it was. */
export interface SignalPassing extends Disposable {
  /** Rejects when the caller insists on an end; never resolves. */
  readonly insisted: Promise<never>;
}

/** Passes signals of this program to the container, and with a terminal its size and every key. */
export function passSignals(
  container: RunningContainer,
  { context, tty }: { context: CommandContext; tty: boolean },
): SignalPassing {
  const { stdin, stdout } = context;
  const stack = new DisposableStack();
  const insisted = Promise.withResolvers<never>();
  insisted.promise.catch(() => undefined);
  let ends = 0;
  const ignore = (): undefined => undefined;
  for (const name of passedOn) {
    const pass = (): void => {
      if (name === "SIGINT" || name === "SIGTERM") ends += 1;
      if (ends >= INSISTING) insisted.reject(new Error(`ended by the ${INSISTING}rd ${name}`));
      void container.signal(constants.signals[name]).catch(ignore);
    };
    process.on(name, pass);
    stack.defer(() => process.off(name, pass));
  }
  context.takeSignals();
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
  return { insisted: insisted.promise, [Symbol.dispose]: () => stack.dispose() };
}
