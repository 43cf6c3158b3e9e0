import type { Transport } from "@connectrpc/connect";
import type { Duplex } from "node:stream";
import type { ConnectionTimeouts } from "../connection/frame-connection.ts";
import { ClientConnection } from "./client-connection.ts";
import { createTransport } from "./transport.ts";
import type { TransportOptions } from "./transport.ts";

/** Options of a client connection; every one has a default. */
export interface TtrpcClientOptions
  extends TransportOptions, Pick<ConnectionTimeouts, "frameTimeoutMs" | "writeTimeoutMs"> {}

/**
 * The client end of one connection. It never reconnects: once closed, every call in flight and every later one fails
 * with UNAVAILABLE `ttrpc: closed`, which `isTtrpcClosed` recognises.
 */
export interface TtrpcClientConnection extends AsyncDisposable {
  /** For Connect's `createClient`. Calls may run side by side and end in any order. */
  readonly transport: Transport;
  /** Resolves when the connection has ended, with the error that ended it if there was one; never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Ends the connection and fails the calls in flight. Repeating it has no effect. */
  close(): void;
}

/**
 * Makes a connected byte stream (unix socket, TCP, TLS, vsock, one end of a pair) a ttrpc client connection, which owns
 * it from then on. Nothing is exchanged until the first call.
 */
export function connectTtrpc(duplex: Duplex, options: TtrpcClientOptions = {}): TtrpcClientConnection {
  const connection = new ClientConnection(duplex, options);
  const { frames } = connection;
  return {
    transport: createTransport(connection, options),
    closed: frames.closed.then(() => connection.closeCause),
    close: () => frames.close(undefined),
    async [Symbol.asyncDispose]() {
      frames.close(undefined);
      await frames.closed;
    },
  };
}
