import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { AgentSocket } from "./agent-socket.ts";
import type { CloudVolumes } from "./cloud-volumes/cloud-volumes.ts";
import { defaultLimits } from "./limits.ts";
import type { ForwarderLimits } from "./limits.ts";
import { listen } from "./listener.ts";
import type { ListenAddress } from "./options.ts";
import { decideOn } from "./requests/decide.ts";
import { ClientSession } from "./session.ts";
import type { ServerTls } from "./tls.ts";

/** What a forwarder needs; see `ForwarderOptions` for where it comes from. */
export interface ForwarderContext {
  readonly listen: ListenAddress;
  readonly tls: ServerTls;
  readonly agentSocket: string;
  readonly podNetns: string;
  readonly volumes: CloudVolumes;
  readonly logger: Logger;
  /** Only what differs from {@link defaultLimits}. */
  readonly limits?: Partial<ForwarderLimits>;
}

/** A running forwarder. Disposing it ends its clients at once and can be repeated. */
export interface Forwarder extends AsyncDisposable {
  /** The port it listens on. */
  readonly port: number;
  /** Clients that are connected now. */
  readonly clients: number;
  /** Rejects when it cannot go on; otherwise it stays pending. */
  readonly failed: Promise<never>;
}

/**
 * Starts forwarding agent calls from mutually authenticated clients to kata-agent. Any number of clients (up to a limit)
 * may be connected at once; a relay that lost its connection simply makes a new one.
 * @throws ForwarderError `listen`
 */
export async function startForwarder(context: ForwarderContext): Promise<Forwarder> {
  const limits = { ...defaultLimits, ...context.limits };
  const { logger } = context;
  const sessions = new Set<ClientSession>();
  await using resources = new AsyncDisposableStack();
  const agent = resources.use(new AgentSocket(context.agentSocket));

  const onClient = (stream: Duplex, remoteAddress: string): void => {
    const clientLogger = logger.child({ remoteAddress });
    if (sessions.size >= limits.maxConnections) {
      clientLogger.warn({ maxConnections: limits.maxConnections }, "client refused: too many connections");
      stream.destroy();
      return;
    }
    const session: ClientSession = new ClientSession(stream, {
      agent,
      limits,
      logger: clientLogger,
      decide: (request) => {
        if (request.method === "GetOOMEvent") endPredecessors(sessions, session);
        return decideOn(request, context);
      },
    });
    sessions.add(session);
    clientLogger.info("client connected");
    void session.closed.then((err) => {
      sessions.delete(session);
      clientLogger.info({ err, stats: session.stats }, "client gone");
    });
  };

  const listener = await listen(context.listen, { tls: context.tls, limits, logger, onClient });
  resources.defer(async () => {
    await Promise.all([...sessions].map((session) => session[Symbol.asyncDispose]()));
  });
  resources.use(listener);
  const owned = resources.move();
  return {
    port: listener.port,
    failed: listener.failed,
    get clients() {
      return sessions.size;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * A shim waits for out-of-memory events exactly once. A second client that asks for them is the relay with a new
 * connection, and the former one is dead though TCP may not know it for long: its calls would take the output away.
 */
function endPredecessors(sessions: ReadonlySet<ClientSession>, successor: ClientSession): void {
  for (const session of sessions) {
    if (session !== successor && session.waitsForEvents) void session[Symbol.asyncDispose]();
  }
}
