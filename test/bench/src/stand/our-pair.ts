import { join } from "node:path";
import { startForwarder } from "./forwarder.ts";
import type { Pair, PairOptions } from "./pair.ts";
import type { Programs } from "./programs.ts";
import { startRelayLine } from "./relay.ts";
import { SERVER_NAME } from "./server-name.ts";

export interface OurPairOptions extends Required<Omit<PairOptions, "name">> {
  readonly programs: Programs;
  readonly nodeArgs: readonly string[];
}

/** Starts the relay with one sandbox, and the forwarder. */
export async function startOurPair(options: OurPairOptions): Promise<Pair & AsyncDisposable> {
  const { directory, agentSocket, tls, programs, nodeArgs } = options;
  await using resources = new AsyncDisposableStack();
  const common = { directory, logFile: join(directory, "relay-bench.log"), nodeArgs };
  const { port, pid } = resources.use(
    await startForwarder({ ...common, program: programs.forwarder, identity: tls.server, agentSocket }),
  );
  const relay = resources.use(
    await startRelayLine({
      ...common,
      daemon: programs.daemon,
      identity: tls.client,
      serverName: SERVER_NAME,
      port,
    }),
  );
  const owned = resources.move();
  return {
    first: { dial: `unix:${relay.agentSocket}`, pid: relay.pid },
    second: { dial: `tcp:127.0.0.1:${port}`, pid },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
