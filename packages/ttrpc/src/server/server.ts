import type { ConnectRouter } from "@connectrpc/connect";
import type { Duplex } from "node:stream";
import { watchAbort } from "../connection/call-abort.ts";
import type { TtrpcAddress } from "../connection/address.ts";
import { bind } from "./listener.ts";
import type { Listener } from "./listener.ts";
import type { TtrpcServerOptions } from "./options.ts";
import { collectRoutes } from "./router.ts";
import { ServerConnection } from "./server-connection.ts";

/** One connection being served. */
export interface ServedConnection {
  /** Resolves when the connection has ended and its stream is released; never rejects. */
  readonly closed: Promise<void>;
  /** Ends it at once: handlers are cancelled, nothing more is sent. Repeating it has no effect. */
  close(): void;
}

/** How long a shutdown waits for handlers. */
export interface ShutdownOptions {
  /** Ends the wait: what is left is closed at once. */
  readonly signal?: AbortSignal;
  /** The same after this time, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
}

/** A ttrpc server. Disposing it closes all at once; use `shutdown` first to let calls end. */
export interface TtrpcServer extends AsyncDisposable {
  /** Serves a connected byte stream (accepted socket, TLS, one end of a pair), which it owns from then on. */
  serve(duplex: Duplex): ServedConnection;
  /**
   * Listens on a unix socket or TCP address and serves what connects; may be called for several. Returns the address
   * bound, with the port chosen for port 0. The file of a dead unix socket is replaced; a path above 107 bytes, an
   * address in use and whatever else the system refuses are thrown with the address in the text. The mode of a socket
   * file is the umask's matter: put it into a directory that only its users can enter.
   */
  listen(address: TtrpcAddress): Promise<TtrpcAddress>;
  /** Stops listening, refuses new calls (UNAVAILABLE), waits for running ones, then closes. Can be repeated. */
  shutdown(options?: ShutdownOptions): Promise<void>;
}

/**
 * Makes a server of Connect routes: `createTtrpcServer((router) => router.service(Health, { check: () => ... }))`.
 *
 * A handler's `ConnectError` is sent with its code, raw message and details; any other error is UNKNOWN with its
 * message. `context.signal` aborts at the caller's deadline (the call is then answered DEADLINE_EXCEEDED at once), when
 * the connection ends, and when the call has ended. Calls of one connection run side by side.
 *
 * @throws Error if a method is registered twice.
 */
export function createTtrpcServer(
  routes: (router: ConnectRouter) => void,
  options: TtrpcServerOptions = {},
): TtrpcServer {
  const table = collectRoutes(routes);
  const { maxConnections = 1024, logger } = options;
  const connections = new Set<ServerConnection>();
  const listeners = new Set<Listener>();
  let stopped = false;

  function serve(duplex: Duplex): ServedConnection {
    if (stopped || connections.size >= maxConnections) {
      logger?.warn({ connections: connections.size, maxConnections, stopped }, "ttrpc connection refused");
      duplex.on("error", () => undefined).destroy();
      return { closed: Promise.resolve(), close: () => undefined };
    }
    const connection = new ServerConnection(duplex, table, options);
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
    return connection;
  }

  function stopListening(): void {
    stopped = true;
    for (const listener of listeners) listener.close();
    listeners.clear();
  }

  async function closeAll(): Promise<void> {
    stopListening();
    const closed = [...connections].map((connection) => connection.closed);
    for (const connection of connections) connection.close();
    await Promise.all(closed);
  }

  return {
    serve,
    async listen(address) {
      const listener = await bind(address, (socket) => void serve(socket));
      if (stopped) {
        listener.close();
        throw new Error("the ttrpc server was closed");
      }
      listeners.add(listener);
      return listener.address;
    },
    async shutdown({ signal, timeoutMs = 30_000 } = {}) {
      stopListening();
      const stopWatch = watchAbort({ signal, timeoutMs }, () => void closeAll());
      for (const connection of connections) connection.drain();
      await Promise.all([...connections].map((connection) => connection.closed));
      stopWatch();
    },
    [Symbol.asyncDispose]: closeAll,
  };
}
