import { join } from "node:path";
import type { MountEntry } from "../host/mount-table.ts";

/** The cgroup file system of the VM: one tree (v2), or one per controller (v1). */
export type Hierarchies =
  | { readonly version: 2; readonly root: string }
  | { readonly version: 1; readonly roots: ReadonlyMap<string, string> };

const root = "/sys/fs/cgroup";

/** Controllers of v1, as mount options name them. */
const controllers = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb"];

/**
 * Finds the cgroup hierarchies, as OCI runtimes do: what is mounted at /sys/fs/cgroup decides.
 * @throws Error when there are none.
 */
export function findHierarchies(table: readonly MountEntry[]): Hierarchies {
  const below = table.filter(({ mountPoint }) => mountPoint === root || mountPoint.startsWith(`${root}/`));
  if (below.some((entry) => entry.mountPoint === root && entry.fileSystem === "cgroup2"))
    return { version: 2, root };
  const roots = new Map<string, string>();
  for (const { fileSystem, mountPoint, superOptions } of below) {
    if (fileSystem !== "cgroup") continue;
    for (const option of superOptions) if (controllers.includes(option)) roots.set(option, mountPoint);
  }
  if (roots.size === 0)
    throw new Error(
      `no cgroup file system is mounted at ${root}: mount cgroup2 there, or the v1 hierarchies below it`,
    );
  return { version: 1, roots };
}

/** Where a controller's files of a cgroup are; undefined when this VM does not have the controller. */
export function controllerDirectory(
  hierarchies: Hierarchies,
  controller: string,
  cgroupsPath: string,
): string | undefined {
  if (hierarchies.version === 2) return join(hierarchies.root, cgroupsPath);
  const mountPoint = hierarchies.roots.get(controller);
  return mountPoint === undefined ? undefined : join(mountPoint, cgroupsPath);
}
