import { controllerDirectory, type Hierarchies } from "./hierarchies.ts";
import { parseFlatKeyed, readControl } from "./files.ts";

/** How many processes of a cgroup the kernel has killed for lack of memory. */
export interface OomCounter {
  /** The directory that must exist for the counter to be read. */
  readonly directory: string;
  read(): Promise<bigint>;
}

/** Undefined when the VM has no memory controller. */
export function oomCounter(hierarchies: Hierarchies, cgroupsPath: string): OomCounter | undefined {
  const directory = controllerDirectory(hierarchies, "memory", cgroupsPath);
  if (directory === undefined) return undefined;
  const file = hierarchies.version === 1 ? "memory.oom_control" : "memory.events";
  return {
    directory,
    read: async () => parseFlatKeyed(await readControl(directory, file)).get("oom_kill") ?? 0n,
  };
}
