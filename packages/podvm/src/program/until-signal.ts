/**
 * Runs a daemon until it ends or is asked to: the first SIGINT or SIGTERM aborts the signal it gets, a second one ends
 * the process with 1. Ending because it was asked to is no error.
 */
export async function untilSignal(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort(new DOMException(`stopped by ${name}`, "AbortError"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await run(stop.signal);
  } catch (error) {
    if (error !== stop.signal.reason) throw error;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
