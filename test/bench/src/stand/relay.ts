import { join } from "node:path";
import { startProcess, until } from "@peerpods/test-harness";
import { accepts } from "./accepts.ts";
import { createRelayClient } from "./adaptor-internals.ts";
import type { Identity } from "./certificates.ts";

export interface RelayOptions {
  /** The bundled program. */
  readonly program: string;
  readonly directory: string;
  readonly identity: Identity;
  readonly serverName: string;
  readonly port: number;
  readonly logFile: string;
  readonly nodeArgs: readonly string[];
}

/** The agent relay with one sandbox open towards a forwarder. */
export interface RunningRelay extends AsyncDisposable {
  readonly pid: number;
  /** Socket that a shim would dial. */
  readonly agentSocket: string;
}

export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  const { program, directory, identity, serverName, port, logFile, nodeArgs } = options;
  await using resources = new AsyncDisposableStack();
  const socketPath = join(directory, "relay.sock");
  const { pid } = resources.use(
    await startProcess(process.execPath, [...nodeArgs, program, "--socket", socketPath], { logFile }),
  );
  await until("the relay listens", () => accepts({ path: socketPath }), { everyMs: 10 });
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
