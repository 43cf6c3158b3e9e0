import { randomInt } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import type { Cloud } from "../cloud/cloud.ts";
import { accepts } from "./accepts.ts";
import { createRelayClient, HypervisorClient } from "./internals.ts";
import type { Programs } from "./programs.ts";
import { startRelayProcess } from "./relay.ts";

export interface NodeOptions {
  readonly programs: Pick<Programs, "daemon">;
  readonly cloud: Pick<Cloud, "providerName" | "flags" | "env">;
  /** Where all of the node's files go. Short, because agent sockets lie below it. */
  readonly directory: string;
  /** Arguments of Node for both programs. */
  readonly nodeArgs?: readonly string[];
}

/** A worker node's two programs, without pods. */
export interface WorkerNode extends AsyncDisposable {
  readonly hypervisor: HypervisorClient;
  readonly daemonPid: number;
  readonly relayPid: number;
  /** Milliseconds from the start of the process until it served. */
  readonly startMs: { readonly relay: number; readonly daemon: number };
  readonly directory: string;
  /** VXLAN id of the first sandbox. */
  readonly minVni: number;
  /** Sandboxes that relay or journal still know. */
  sandboxes(): Promise<number>;
}

/** Starts relay and daemon. The relay is ours and not a service, so that a real one on this machine is left alone. */
export async function startNode({
  programs,
  cloud,
  directory,
  nodeArgs = [],
}: NodeOptions): Promise<WorkerNode> {
  await using resources = new AsyncDisposableStack();
  const at = (name: string): string => join(directory, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const relaySocket = at("r.sock");
  const hypervisorSocket = at("h.sock");
  const [relay, relayMs] = await timed(() =>
    startRelayProcess({
      daemon: programs.daemon,
      socketPath: relaySocket,
      logFile: at("relay.log"),
      nodeArgs,
    }),
  );
  resources.use(relay);
  const minVni = randomInt(1_000_000, 16_000_000);
  const args = [
    ...nodeArgs,
    programs.daemon,
    cloud.providerName,
    ...cloud.flags,
    ...[`-socket=${hypervisorSocket}`, `-pods-dir=${at("p")}`, `-state-dir=${at("state")}`],
    ...[`-control-socket=${at("c.sock")}`, `-relay-socket=${relaySocket}`],
    ...["-peerpods-limit-per-node=-1", `-vxlan-min-id=${minVni}`],
  ];
  const [daemon, daemonMs] = await timed(async () => {
    const running = await startProcess(process.execPath, args, {
      logFile: at("daemon.log"),
      // As the chart starts it.
      env: { ...cloud.env, MALLOC_TRIM_THRESHOLD_: "131072" },
    });
    await until("the daemon listens", () => accepts({ path: hypervisorSocket }), { everyMs: 5 });
    return running;
  });
  resources.use<RunningProcess>(daemon);
  const relayClient = createRelayClient({ socketPath: relaySocket });
  const owned = resources.move();
  return {
    hypervisor: new HypervisorClient(hypervisorSocket),
    daemonPid: daemon.pid,
    relayPid: relay.pid,
    directory,
    minVni,
    startMs: { relay: relayMs, daemon: daemonMs },
    sandboxes: async () => {
      const relayed = await relayClient.list({ signal: AbortSignal.timeout(10_000) });
      const journalled = await readdir(at("state/journal/sandboxes"));
      return Math.max(relayed.length, journalled.length);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, ms: number]> {
  const began = performance.now();
  return [await work(), performance.now() - began];
}
