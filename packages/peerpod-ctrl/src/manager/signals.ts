/** Signals as a process gets them. */
export interface SignalSource {
  on(event: "SIGINT" | "SIGTERM", listener: (name: NodeJS.Signals) => void): unknown;
  off(event: "SIGINT" | "SIGTERM", listener: (name: NodeJS.Signals) => void): unknown;
}

/** A signal that aborts at the first SIGINT or SIGTERM; the second one calls `exitNow`. Disposal removes the listeners. */
export function stopSignal(
  source: SignalSource,
  exitNow: () => void,
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) exitNow();
    else controller.abort(new DOMException(`stopped by ${name}`, "AbortError"));
  };
  source.on("SIGINT", onSignal);
  source.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      source.off("SIGINT", onSignal);
      source.off("SIGTERM", onSignal);
    },
  };
}
