import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunningProcess } from "@peerpods/test-harness";
import { execa } from "execa";
import {
  findKataAgent,
  missingShim,
  startContainerd,
  type Containerd,
  type ContainerdOptions,
} from "./containerd.ts";
import { buildBusyboxImage } from "./image.ts";
import { createWorkerNode, type WorkerNode } from "./worker-node.ts";

/** An agent that runs in the pod VM of a test with the real shim. */
export interface TestedAgent {
  readonly name: string;
  /** Flags of the daemon. */
  readonly flags: readonly string[];
  /** Why it cannot be tested here. */
  readonly missing: string | undefined;
}

/** The development agent and, where one is given, the real one. */
export async function testedAgents(): Promise<readonly TestedAgent[]> {
  const noShim = await missingShim();
  const agent = findKataAgent();
  const noAgent =
    agent === undefined ? "needs a real agent: set PEERPODS_KATA_AGENT to a kata-agent" : undefined;
  return [
    { name: "the development agent", flags: [], missing: noShim },
    {
      name: "the real kata-agent",
      flags: agent === undefined ? [] : ["-local-agent", agent],
      missing: noShim ?? noAgent,
    },
  ];
}

/** A worker node with a real containerd and shim, and one image in both containerd and pod VMs. */
export interface RealNode extends AsyncDisposable {
  readonly node: WorkerNode;
  /** The daemon that was started first. */
  readonly daemon: RunningProcess;
  readonly containerd: Containerd;
  readonly directory: string;
  readonly image: string;
}

export interface RealNodeOptions extends Pick<ContainerdOptions, "podNetwork"> {
  /** Bridge of the pod VMs and its subnet, as the daemon's flags take them. */
  readonly bridge: string;
  readonly subnet: string;
  readonly agent: TestedAgent;
}

export async function startRealNode({
  podNetwork,
  bridge,
  subnet,
  agent,
}: RealNodeOptions): Promise<RealNode> {
  await using stage = new AsyncDisposableStack();
  const image = "localhost/busybox:latest";
  const directory = await mkdtemp("/tmp/pprs-");
  stage.defer(() => rm(directory, { recursive: true, force: true }));
  const imageDirectory = join(directory, "images");
  const layout = await buildBusyboxImage(imageDirectory, "localhost/busybox");
  const { flags } = agent;
  const node = stage.use(
    await createWorkerNode({ directory: join(directory, "n"), imageDirectory, bridge, subnet, flags }),
  );
  const daemon = await node.startDaemon();
  const { hypervisorSocket } = node;
  const network = podNetwork === undefined ? {} : { podNetwork };
  const containerd = stage.use(
    await startContainerd({ directory: join(directory, "c"), hypervisorSocket, ...network }),
  );
  const archive = join(directory, "image.tar");
  await execa("skopeo", ["copy", "--quiet", `oci:${layout}:latest`, `docker-archive:${archive}:${image}`]);
  const imported = await containerd.ctr(["images", "import", archive]);
  if (imported.exitCode !== 0) throw new Error(`containerd does not take the image: ${imported.stderr}`);
  const owned = stage.move();
  return { node, daemon, containerd, directory, image, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
