import { createClient, Code, ConnectError } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { dialTtrpc } from "@peerpods/ttrpc";
import { setTimeout as sleep } from "node:timers/promises";
import { Relay } from "../../gen/peerpods/relay/v1/relay_pb.ts";
import type { RelayControl, RelayEvent, RelayHello, WaitOptions } from "../../sandbox/relay-port.ts";
import { RelayError } from "../errors.ts";
import { fromConnectError } from "./errors-on-wire.ts";
import { eventFromMessage, openRequestToMessage, sandboxFromMessage } from "./messages.ts";
import { diffSandboxes } from "./polling.ts";
import { RELAY_PROTOCOL } from "./protocol.ts";

export interface RelayClientOptions {
  /** Path of the relay's control socket. */
  readonly socketPath: string;
  /** Limit of the calls that only ask or forget. Default 10 000. */
  readonly callTimeoutMs?: number;
  /** How often a relay without Watch is asked instead. Default 1 000. */
  readonly pollIntervalMs?: number;
}

/** What `open` may take beyond its dial timeout: binding, answering. */
const OPEN_MARGIN_MS = 10_000;

/**
 * The relay as its control socket shows it.
 *
 * Each call has a connection of its own: that is how the relay learns that a caller has left, and why nothing here
 * needs to notice that the relay was replaced. Rejects with `RelayError`: `unavailable` when no relay answers, else
 * what the relay says.
 */
export function createRelayClient(options: RelayClientOptions): RelayControl {
  const { callTimeoutMs = 10_000, pollIntervalMs = 1_000, socketPath } = options;

  async function call<T>(
    wait: WaitOptions,
    timeoutMs: number,
    make: (
      relay: Client<typeof Relay>,
      callOptions: { timeoutMs: number; signal: AbortSignal },
    ) => Promise<T>,
  ): Promise<T> {
    wait.signal.throwIfAborted();
    try {
      await using connection = await dialTtrpc({ path: socketPath }, { signal: wait.signal });
      return await make(createClient(Relay, connection.transport), { timeoutMs, signal: wait.signal });
    } catch (error) {
      wait.signal.throwIfAborted();
      throw relayErrorFrom(error, socketPath);
    }
  }

  async function* poll(wait: WaitOptions): AsyncGenerator<RelayEvent> {
    let before: Awaited<ReturnType<RelayControl["list"]>> = [];
    for (;;) {
      const now = await client.list(wait);
      yield* diffSandboxes(before, now);
      before = now;
      await sleep(pollIntervalMs, undefined, { signal: wait.signal }).catch((error: unknown) => {
        throw wait.signal.aborted ? wait.signal.reason : error;
      });
    }
  }

  const client: RelayControl = {
    hello: (wait) =>
      call(wait, callTimeoutMs, async (relay, callOptions): Promise<RelayHello> => {
        const { protocol, version } = await relay.hello({ protocol: RELAY_PROTOCOL }, callOptions);
        return { protocol, version };
      }),
    open: (request, wait) =>
      call(wait, request.dialTimeoutMs + OPEN_MARGIN_MS, async (relay, callOptions) => {
        await relay.open(openRequestToMessage(request), callOptions);
      }),
    close: (sandboxId, wait) =>
      call(wait, callTimeoutMs, async (relay, callOptions) => {
        await relay.close({ sandboxId }, callOptions);
      }),
    list: (wait) =>
      call(wait, callTimeoutMs, async (relay, callOptions) =>
        (await relay.list({}, callOptions)).sandboxes.map(sandboxFromMessage),
      ),
    async *watch(wait) {
      wait.signal.throwIfAborted();
      try {
        await using connection = await dialTtrpc({ path: socketPath }, { signal: wait.signal });
        const responses = createClient(Relay, connection.transport).watch({}, { signal: wait.signal });
        for await (const response of responses) {
          const event = eventFromMessage(response);
          if (event !== undefined) yield event;
        }
        throw new RelayError("unavailable", `the relay at ${socketPath} ended the watch`);
      } catch (error) {
        wait.signal.throwIfAborted();
        if (!(error instanceof ConnectError) || error.code !== Code.Unimplemented) {
          throw relayErrorFrom(error, socketPath);
        }
      }
      // Protocol 1.
      yield* poll(wait);
    },
  };
  return client;
}

function relayErrorFrom(error: unknown, socketPath: string): RelayError {
  if (error instanceof RelayError) return error;
  const connectError = ConnectError.from(error);
  if (connectError.code === Code.Unavailable) {
    return new RelayError("unavailable", `no relay answers at ${socketPath}: ${connectError.rawMessage}`, {
      cause: error,
    });
  }
  return (
    fromConnectError(connectError) ??
    new RelayError("unavailable", `the relay at ${socketPath} failed: ${connectError.rawMessage}`, {
      cause: error,
    })
  );
}
