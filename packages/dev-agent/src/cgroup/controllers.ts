import type { Hierarchies } from "./hierarchies.ts";
import { readControl } from "./files.ts";

/**
 * Controllers that containers can be limited by; undefined when every limit is to be tried. A VM made by a user who is
 * not root has those of the unified tree that were delegated to that user, perhaps none.
 */
export async function availableControllers(
  hierarchies: Hierarchies,
): Promise<ReadonlySet<string> | undefined> {
  if (hierarchies.version === 1) return undefined;
  const text = (await readControl(hierarchies.root, "cgroup.controllers")) ?? "";
  return new Set(text.split(/\s+/).filter((word) => word !== ""));
}
