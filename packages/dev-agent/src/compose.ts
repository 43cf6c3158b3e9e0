import { dirname, join } from "node:path";
import { Agent } from "./agent.ts";
import { availableControllers } from "./cgroup/controllers.ts";
import { findHierarchies } from "./cgroup/hierarchies.ts";
import { prepareUnifiedRoot } from "./cgroup/unified-root.ts";
import type { AgentFlags } from "./command-line.ts";
import { createOciRuntime } from "./container/runtime.ts";
import { readMappedGroups } from "./host/mapped-groups.ts";
import type { Host } from "./host/host.ts";
import { readMountTable } from "./host/mount-table.ts";
import { readOwnOomScore } from "./host/oom-score.ts";
import { ImageStore } from "./image/image-store.ts";
import { kataDirectory, sharedDirectory, stateDirectory } from "./paths.ts";
import { oomScoreRule } from "./runtime-spec/process.ts";
import type { SandboxDirectories } from "./sandbox/directories.ts";

/** The agent and what it was built from. */
export interface ComposedAgent {
  readonly agent: Agent;
  readonly directories: SandboxDirectories;
  readonly images: ImageStore;
}

/** Builds the agent for this VM. @throws Error when the VM has no cgroup file system. */
export async function composeAgent(flags: AgentFlags, host: Host): Promise<ComposedAgent> {
  const hierarchies = findHierarchies(await readMountTable());
  await prepareUnifiedRoot(hierarchies);
  const controllers = await availableControllers(hierarchies);
  const groupExists = await readMappedGroups();
  const without = ["cpu", "memory", "pids"].filter((name) => controllers?.has(name) === false);
  if (without.length > 0)
    host.logger.warn({ without }, "containers get no limits of these cgroup controllers");
  const oomScoreAdj = oomScoreRule(await readOwnOomScore());
  const images = new ImageStore({ ...flags, directory: flags.imageStore }, host);
  const directories = {
    kata: kataDirectory,
    shared: sharedDirectory,
    state: stateDirectory,
    resolvConf: "/etc/resolv.conf",
  };
  const agent = new Agent((onOom) => ({
    host,
    directories,
    containers: {
      host,
      hierarchies,
      controllers,
      groupExists,
      oomScoreAdj,
      onOom,
      runtime: createOciRuntime(host, join(stateDirectory, "runtime")),
    },
    storage: {
      host,
      images,
      kataDirectory,
      layerDirectory: join(stateDirectory, "layers"),
      copyDirectory: join(dirname(flags.imageStore), "rootfs"),
      pauseBundle: flags.pauseBundle,
      ownPauseBundle: join(stateDirectory, "pause"),
    },
  }));
  return { agent, directories, images };
}
