/** Signals as the program gets them. */
export interface SignalSource {
  on(event: "SIGINT" | "SIGTERM", listener: (name: NodeJS.Signals) => void): unknown;
  off(event: "SIGINT" | "SIGTERM", listener: (name: NodeJS.Signals) => void): unknown;
}

/**
 * Runs `act` with a signal that aborts at the first SIGINT or SIGTERM; the second one calls `exitNow`. The listeners are
 * gone when it ends.
 */
export async function untilSignalled(
  act: (signal: AbortSignal) => Promise<void>,
  { source, exitNow }: { readonly source: SignalSource; readonly exitNow: () => void },
): Promise<void> {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) exitNow();
    else controller.abort(new DOMException(`stopped by ${name}`, "AbortError"));
  };
  source.on("SIGINT", onSignal);
  source.on("SIGTERM", onSignal);
  try {
    await act(controller.signal);
  } finally {
    source.off("SIGINT", onSignal);
    source.off("SIGTERM", onSignal);
  }
}
