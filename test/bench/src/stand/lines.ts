import { join } from "node:path";
import { freePort, until } from "@peerpods/test-harness";
import { issueIdentities } from "./certificates.ts";
import { createComparator, type Comparator, type Load, type LoadResult } from "./comparator.ts";
import { startForwarder } from "./forwarder.ts";
import { cpuSeconds } from "./process-cost.ts";
import type { Programs } from "./programs.ts";
import { startRelayLine } from "./relay.ts";
import { accepts } from "./accepts.ts";

/** A way from the load to the agent. */
export interface Line {
  /** Sends a load along it. */
  measure(load: Pick<Load, "call" | "size" | "callers" | "calls">): Promise<LineResult>;
}

export interface LineResult extends LoadResult {
  /** CPU that the hops of the line used, in seconds. */
  readonly cpuSeconds: number;
}

/** The ways that are compared; all end at the same agent. */
export interface Lines {
  /** Straight to the agent. */
  readonly direct: Line;
  readonly forwarder: Line;
  readonly relayAndForwarder: Line;
  readonly comparatorForwarder: Line;
  readonly comparatorBoth: Line;
}

/** The server name that the comparator's second hop and the forwarder carry; the Go program expects it. */
const SERVER_NAME = "podvm-server";

/** Starts agent, both pairs of hops and what they need. `nodeArgs` are arguments of Node for our hops. */
export async function startLines(
  directory: string,
  { programs, nodeArgs = [] }: { readonly programs: Programs; readonly nodeArgs?: readonly string[] },
): Promise<Lines & AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const logFile = join(directory, "relay-bench.log");
  const identities = await issueIdentities(directory, [SERVER_NAME, "client"]);
  const { [SERVER_NAME]: server, client } = identities;
  const comparator = await createComparator(join(directory, "comparator.log"));

  const agentSocket = join(directory, "agent.sock");
  resources.use(await comparator.agent({ listen: `unix:${agentSocket}` }));
  const forwarder = resources.use(
    await startForwarder({
      program: programs.forwarder,
      directory,
      identity: server,
      agentSocket,
      logFile,
      nodeArgs,
    }),
  );
  const { port } = forwarder;
  const relay = resources.use(
    await startRelayLine({
      daemon: programs.daemon,
      directory,
      identity: client,
      serverName: SERVER_NAME,
      port,
      logFile,
      nodeArgs,
    }),
  );

  const goPort = await freePort();
  const goSocket = join(directory, "comparator.sock");
  const second = resources.use(
    await comparator.hop({
      listen: `tcp:127.0.0.1:${goPort}`,
      listenTls: server.directory,
      dial: `unix:${agentSocket}`,
    }),
  );
  await until("the second hop listens", () => accepts({ host: "127.0.0.1", port: goPort }));
  const first = resources.use(
    await comparator.hop({
      listen: `unix:${goSocket}`,
      dial: `tcp:127.0.0.1:${goPort}`,
      dialTls: client.directory,
    }),
  );
  await until("the first hop listens", () => accepts({ path: goSocket }));

  const line = (target: Pick<Load, "dial" | "dialTls">, hops: readonly number[]) =>
    createLine(comparator, target, hops);
  const dialTls = client.directory;
  const owned = resources.move();
  return {
    direct: line({ dial: `unix:${agentSocket}` }, []),
    forwarder: line({ dial: `tcp:127.0.0.1:${port}`, dialTls }, [forwarder.pid]),
    relayAndForwarder: line({ dial: `unix:${relay.agentSocket}` }, [relay.pid, forwarder.pid]),
    comparatorForwarder: line({ dial: `tcp:127.0.0.1:${goPort}`, dialTls }, [second.pid]),
    comparatorBoth: line({ dial: `unix:${goSocket}` }, [first.pid, second.pid]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function createLine(
  comparator: Comparator,
  target: Pick<Load, "dial" | "dialTls">,
  hops: readonly number[],
): Line {
  return {
    async measure(load) {
      const before = await cpuSeconds(hops);
      const result = await comparator.load({ ...target, ...load });
      return { ...result, cpuSeconds: (await cpuSeconds(hops)) - before };
    },
  };
}
