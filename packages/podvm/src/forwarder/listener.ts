import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import type { Logger } from "pino";
import { ForwarderError } from "./errors.ts";
import type { ForwarderLimits } from "./limits.ts";
import type { ListenAddress } from "./options.ts";
import type { ServerTls } from "./tls.ts";

/** What a listener works with. */
export interface ListenerContext {
  readonly tls: ServerTls;
  readonly limits: ForwarderLimits;
  readonly logger: Logger;
  /** Takes over a client that was let in. */
  readonly onClient: (stream: Duplex, remoteAddress: string) => void;
}

/** A port that lets in clients with the right certificate only. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** Rejects when the listener fails later on; otherwise it stays pending. */
  readonly failed: Promise<never>;
}

/** Connections whose handshake is not over, by their address, oldest first. */
type Handshakes = Map<string, Socket>;

/** Found by keep-alive probes: a worker that has gone without a word. */
const keepAlive = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 };

/**
 * Listens on an address. Before a client is let in, its TLS handshake has a deadline and the number of those is limited.
 * @throws ForwarderError `listen`, `tls`
 */
export async function listen({ host, port }: ListenAddress, context: ListenerContext): Promise<Listener> {
  const handshakes: Handshakes = new Map();
  const server = context.tls === undefined ? plainServer(context) : tlsServer(context, handshakes);
  const failed = Promise.withResolvers<never>();
  // Whoever awaits it gets the failure; without anyone it must not end the process.
  failed.promise.catch(() => undefined);
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ForwarderError("listen", `cannot listen on ${host}:${port}: ${reason}`, { cause: error });
  }
  server.on("error", (error) => failed.reject(error));
  return {
    port: (server.address() as AddressInfo).port,
    failed: failed.promise,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      for (const socket of handshakes.values()) socket.destroy();
    },
  };
}

function plainServer({ onClient }: ListenerContext): Server {
  return createTcpServer(keepAlive, (socket) => onClient(socket, addressOf(socket)));
}

function tlsServer(context: ListenerContext, handshakes: Handshakes): Server {
  const { tls, limits, logger, onClient } = context;
  const server = createTlsServer({ ...tls, ...keepAlive, handshakeTimeout: limits.handshakeTimeoutMs });
  server.on("connection", (socket: Socket) => {
    const address = addressOf(socket);
    handshakes.set(address, socket);
    socket.once("close", () => handshakes.delete(address));
    const [oldest] = handshakes.values();
    if (handshakes.size > limits.maxHandshakes) oldest?.destroy();
  });
  server.on("secureConnection", (socket) => {
    handshakes.delete(addressOf(socket));
    onClient(socket, addressOf(socket));
  });
  server.on("tlsClientError", (error: OpenSslError, socket) => {
    // A certificate that does not verify is known from here only; the error speaks of a closed connection.
    const reason = socket.authorizationError ?? error.reason ?? error.message;
    logger.warn({ remoteAddress: socket.remoteAddress, reason: String(reason) }, "client was not let in");
    socket.destroy();
  });
  return server;
}

/** OpenSSL's errors have the reason alone, without source file and line. */
interface OpenSslError extends Error {
  readonly reason?: string;
}

function addressOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
