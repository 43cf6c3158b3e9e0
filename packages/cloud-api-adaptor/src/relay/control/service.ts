import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Relay } from "../../gen/peerpods/relay/v1/relay_pb.ts";
import type { RelayControl } from "../../sandbox/relay-port.ts";
import { toConnectError } from "./errors-on-wire.ts";
import { eventToMessage, openRequestFromMessage, sandboxToMessage } from "./messages.ts";

/** `peerpods.relay.v1.Relay` on top of the relay of this process: messages and statuses, nothing more. */
export function relayRoutes(relay: RelayControl, options: { readonly pid: number }) {
  return (router: ConnectRouter): void => {
    router.service(Relay, {
      hello: (_request, context) =>
        answered(context, async (wait) => ({ ...(await relay.hello(wait)), pid: options.pid })),
      open: (request, context) =>
        answered(context, async (wait) => {
          await relay.open(openRequestFromMessage(request), wait);
          return {};
        }),
      close: ({ sandboxId }, context) =>
        answered(context, async (wait) => {
          await relay.close(sandboxId, wait);
          return {};
        }),
      list: (_request, context) =>
        answered(context, async (wait) => ({ sandboxes: (await relay.list(wait)).map(sandboxToMessage) })),
      async *watch(_request, { signal }) {
        for await (const event of relay.watch({ signal })) yield eventToMessage(event);
      },
    });
  };
}

async function answered<T>(
  { signal }: HandlerContext,
  handle: (options: { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  try {
    return await handle({ signal });
  } catch (error) {
    throw toConnectError(error);
  }
}
