import { RelayError } from "../relay/errors.ts";
import type { RelayControl } from "../sandbox/ports.ts";

/**
 * A relay control that brings the relay back when none answers: the call that found out waits for the new one and is
 * made once more. What the old relay carried is lost with it; the lifecycle sees that from `list`.
 *
 * @param ensure starts or finds the relay. Calls at the same time share one start.
 */
export function createLastingRelay(
  relay: RelayControl,
  ensure: (options: { readonly signal: AbortSignal }) => Promise<unknown>,
): RelayControl {
  let ensuring: Promise<unknown> | undefined;

  async function again<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== "unavailable") throw error;
      signal.throwIfAborted();
      ensuring ??= ensure({ signal }).finally(() => {
        ensuring = undefined;
      });
      await ensuring;
      return await call();
    }
  }

  return {
    hello: (options) => again(options.signal, () => relay.hello(options)),
    open: (request, options) => again(options.signal, () => relay.open(request, options)),
    close: (sandboxId, options) => again(options.signal, () => relay.close(sandboxId, options)),
    list: (options) => again(options.signal, () => relay.list(options)),
    watch: (options) => relay.watch(options),
  };
}
