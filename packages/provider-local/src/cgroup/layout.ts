import { ProviderError } from "@peerpods/cloud-providers";
import { parseMountInfo, visibleMounts } from "../host/mount-info.ts";

/** One cgroup v1 hierarchy: some controllers together, or a named one without any (`name=systemd`). */
export interface Hierarchy {
  readonly mountPoint: string;
  /** Mount options that select it, e.g. `["cpu", "cpuacct"]` or `["name=systemd"]`. */
  readonly selectors: readonly string[];
}

/**
 * How this machine does cgroups.
 *
 * - `v1`: controllers sit in v1 hierarchies. `unified` is the cgroup2 mount beside them on a hybrid machine, which
 *   has few or no controllers but can kill a whole cgroup at once.
 * - `v2`: one cgroup2 tree with all controllers.
 */
export type CgroupLayout =
  | { readonly mode: "v1"; readonly hierarchies: readonly Hierarchy[]; readonly unified?: string }
  | { readonly mode: "v2"; readonly unified: string };

/** Superblock options of a v1 mount that are not controllers. */
const notControllers = /^(rw|ro|xattr|noprefix|clone_children|cpuset_v2_mode|favordynmods|release_agent=.*)$/;

/**
 * Reads the layout from the text of `/proc/self/mountinfo`.
 * @throws ProviderError `invalid_config` when no cgroup hierarchy is mounted.
 */
export function parseCgroupLayout(mountInfo: string): CgroupLayout {
  const mounts = visibleMounts(parseMountInfo(mountInfo));
  const unified = mounts.find((mount) => mount.fsType === "cgroup2")?.mountPoint;
  const hierarchies = new Map<string, Hierarchy>();
  for (const mount of mounts) {
    if (mount.fsType !== "cgroup") continue;
    const selectors = mount.superOptions.filter((option) => !notControllers.test(option));
    const key = selectors.toSorted().join();
    if (!hierarchies.has(key)) hierarchies.set(key, { mountPoint: mount.mountPoint, selectors });
  }
  if (hierarchies.size > 0)
    return {
      mode: "v1",
      hierarchies: [...hierarchies.values()],
      ...(unified === undefined ? {} : { unified }),
    };
  if (unified !== undefined) return { mode: "v2", unified };
  throw new ProviderError(
    "invalid_config",
    "no cgroup hierarchy is mounted on this machine; mount one, e.g. `mount -t cgroup2 cgroup2 /sys/fs/cgroup`",
  );
}

/** Mount points of every hierarchy, in the order in which cgroups are made in them. */
export function cgroupMounts(layout: CgroupLayout): string[] {
  if (layout.mode === "v2") return [layout.unified];
  const v1 = layout.hierarchies.map((hierarchy) => hierarchy.mountPoint);
  return layout.unified === undefined ? v1 : [...v1, layout.unified];
}

/** Mount point of the v1 hierarchy that has this controller. */
export function mountOfController(
  layout: CgroupLayout & { readonly mode: "v1" },
  controller: string,
): string | undefined {
  return layout.hierarchies.find((hierarchy) => hierarchy.selectors.includes(controller))?.mountPoint;
}
