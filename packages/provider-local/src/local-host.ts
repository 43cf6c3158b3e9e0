import { join } from "node:path";
import type { CgroupLayout } from "./cgroup/layout.ts";
import type { Run } from "./host/run.ts";
import type { Bridge } from "./network/bridge-type.ts";
import type { LocalConfig } from "./options.ts";

/** Everything the operations of this provider work with. */
export interface LocalHost {
  readonly config: LocalConfig;
  readonly run: Run;
  readonly cgroups: CgroupLayout;
  /** Root here is a user of the machine, in a namespace of users. */
  readonly isRootless: boolean;
  readonly bridge: Bridge;
  /** Stands for the state directory in names; see `instance/identity.ts`. */
  readonly key: string;
  readonly paths: StatePaths;
  /** Trees of the pod VM's root, topmost first, and what the boot needs of them. Built when first asked for. */
  image(signal: AbortSignal): Promise<PodVmImage>;
}

/** The root image of pod VMs, as trees in the cache. */
export interface PodVmImage {
  readonly layers: readonly string[];
  readonly busybox: string;
  readonly bootFile: string;
}

/** Where things are in the state directory. */
export interface StatePaths {
  readonly leases: string;
  readonly locks: string;
  readonly instances: string;
}

/** The fixed directories of a state directory. */
export function statePaths(stateDirectory: string): StatePaths {
  return {
    leases: join(stateDirectory, "leases"),
    locks: join(stateDirectory, "locks"),
    instances: join(stateDirectory, "instances"),
  };
}

/** Files and directories of one instance; all but the record and the writable layer are for people to read, too. */
export interface InstancePaths {
  readonly directory: string;
  /** Output of PID 1. */
  readonly consoleFile: string;
  /** One file per guest program. Written by the VM: never follow links in there. */
  readonly logs: string;
  readonly cidata: string;
  readonly root: string;
  readonly upper: string;
  readonly work: string;
}

export function instancePaths(paths: StatePaths, id: string): InstancePaths {
  const directory = join(paths.instances, id);
  const at = (name: string) => join(directory, name);
  return {
    directory,
    consoleFile: at("console.log"),
    logs: at("logs"),
    cidata: at("cidata"),
    root: at("root"),
    upper: at("upper"),
    work: at("work"),
  };
}
