import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import { accepts } from "./accepts.ts";
import type { Identity } from "./certificates.ts";
import { createRelayClient, relayCommandBeside } from "./internals.ts";

export interface RelayProcessOptions {
  /** The bundled daemon, beside which the relay lies. */
  readonly daemon: string;
  readonly socketPath: string;
  readonly logFile: string;
  readonly nodeArgs?: readonly string[];
}

/** Starts the relay with the command that the daemon would start it with, and waits until it answers. */
export async function startRelayProcess(options: RelayProcessOptions): Promise<RunningProcess> {
  const { daemon, socketPath, logFile, nodeArgs = [] } = options;
  const [node = "", ...args] = relayCommandBeside(pathToFileURL(daemon).href);
  const running = await startProcess(node, [...nodeArgs, ...args, "--socket", socketPath], { logFile });
  await until("the relay listens", () => accepts({ path: socketPath }), { everyMs: 5 });
  return running;
}

export interface RelayLineOptions extends Omit<RelayProcessOptions, "socketPath"> {
  readonly directory: string;
  readonly identity: Identity;
  readonly serverName: string;
  /** Where the forwarder listens, on loopback. */
  readonly port: number;
}

/** The agent relay with one sandbox open towards a forwarder. */
export interface RelayLine extends AsyncDisposable {
  readonly pid: number;
  /** Socket that a shim would dial. */
  readonly agentSocket: string;
}

/** Starts a relay without a daemon and opens one sandbox. */
export async function startRelayLine(options: RelayLineOptions): Promise<RelayLine> {
  const { directory, identity, serverName, port } = options;
  await using resources = new AsyncDisposableStack();
  const socketPath = join(directory, "relay.sock");
  const { pid } = resources.use(await startRelayProcess({ ...options, socketPath }));
  const agentSocket = join(directory, "agent.ttrpc");
  const { ca, cert, key } = identity;
  await createRelayClient({ socketPath }).open(
    {
      sandboxId: "bench",
      socketPath: agentSocket,
      target: { host: "127.0.0.1", port },
      tls: { ca, cert, key, serverName },
      dialTimeoutMs: 10_000,
    },
    { signal: AbortSignal.timeout(20_000) },
  );
  const owned = resources.move();
  return { pid, agentSocket, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
