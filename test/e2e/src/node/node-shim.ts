import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node, NodeOptions } from "@peerpods/test-cluster";
import { kataConfiguration, kataRuntime } from "../stage/containerd-config.ts";
import { linkShim, listenToSyslog, removeCgroups } from "../stage/containerd.ts";

/** The real kata shim as a runtime of a whole node. Disposal follows that of the node. */
export interface NodeShim extends AsyncDisposable {
  readonly options: NodeOptions;
  /** Says where the shim finds the daemon; shims that start from now on go there. */
  connect(node: Node, hypervisorSocket: string): Promise<void>;
}

/** @throws Error when there is no shim: see `missingShim`. */
export async function prepareNodeShim(): Promise<NodeShim> {
  await using stage = new AsyncDisposableStack();
  const directory = await mkdtemp("/tmp/ppns-");
  stage.defer(() => rm(directory, { recursive: true, force: true }));
  const configuration = join(directory, "kata.toml");
  await listenToSyslog(stage, directory);
  stage.defer(() => removeCgroups(["vc", "kata_overhead"]));
  const options = { runtimes: kataRuntime(configuration), shims: await linkShim(directory) };
  const owned = stage.move();
  return {
    options,
    connect: (node, hypervisorSocket) =>
      writeFile(configuration, kataConfiguration(hypervisorSocket, join(node.directory, "kubelet"))),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
