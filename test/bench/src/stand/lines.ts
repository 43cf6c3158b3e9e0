import { join } from "node:path";
import { bareHops } from "./bare-hop.ts";
import { issueIdentities } from "./certificates.ts";
import { createComparator, type Load, type LoadResult } from "./comparator.ts";
import { startOurPair } from "./our-pair.ts";
import { startPair, type Hop, type Pair } from "./pair.ts";
import { cpuSeconds, pssKiB } from "./process-cost.ts";
import type { Programs } from "./programs.ts";
import { SERVER_NAME } from "./server-name.ts";

/** A way from the load to the agent. */
export interface Line {
  /** Sends a load along it. */
  measure(load: Pick<Load, "call" | "size" | "callers" | "calls">): Promise<LineResult>;
  /** Proportional set size of its hops now. */
  pssKiB(): Promise<number>;
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
  /** Two hops that copy bytes, as lean as can be: no TLS, nothing parsed. */
  readonly bareCopy: Line;
  /** Two hops in Node that copy bytes, with mutual TLS between them. */
  readonly bareNode: Line;
}

/** Starts agent, all pairs of hops and what they need. `nodeArgs` are arguments of Node for our hops. */
export async function startLines(
  directory: string,
  { programs, nodeArgs = [] }: { readonly programs: Programs; readonly nodeArgs?: readonly string[] },
): Promise<Lines & AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const { [SERVER_NAME]: server, client } = await issueIdentities(directory, [SERVER_NAME, "client"]);
  const { agent, hop, pipe, load } = await createComparator(join(directory, "comparator.log"));
  const bareHop = bareHops(join(directory, "bare-hop.log"));

  const agentSocket = join(directory, "agent.sock");
  resources.use(await agent({ listen: `unix:${agentSocket}` }));
  const place = { directory, agentSocket };
  const tls = { server, client };
  const ours = resources.use(await startOurPair({ ...place, tls, programs, nodeArgs }));
  const comparator = resources.use(await startPair(hop, { ...place, tls, name: "comparator" }));
  const bareCopy = resources.use(await startPair(pipe, { ...place, name: "bare-copy" }));
  const bareNode = resources.use(await startPair(bareHop, { ...place, tls, name: "bare-node" }));

  const line = (target: Pick<Load, "dial" | "dialTls">, hops: readonly Hop[]): Line => {
    const pids = hops.map(({ pid }) => pid);
    return {
      async measure(work) {
        const before = await cpuSeconds(pids);
        const result = await load({ ...target, ...work });
        return { ...result, cpuSeconds: (await cpuSeconds(pids)) - before };
      },
      async pssKiB() {
        const each = await Promise.all(pids.map(pssKiB));
        return each.reduce((sum, one) => sum + one, 0);
      },
    };
  };
  const both = ({ first, second }: Pair): Line => line({ dial: first.dial }, [first, second]);
  const secondAlone = ({ second }: Pair): Line =>
    line({ dial: second.dial, dialTls: client.directory }, [second]);
  const owned = resources.move();
  return {
    direct: line({ dial: `unix:${agentSocket}` }, []),
    forwarder: secondAlone(ours),
    relayAndForwarder: both(ours),
    comparatorForwarder: secondAlone(comparator),
    comparatorBoth: both(comparator),
    bareCopy: both(bareCopy),
    bareNode: both(bareNode),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
