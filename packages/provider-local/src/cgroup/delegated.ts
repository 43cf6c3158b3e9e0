import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CgroupLayout } from "./layout.ts";
import type { Limits } from "./limits.ts";

/** Limits that can be put into force, and the controllers of those that cannot. */
export interface HoldingLimits {
  readonly limits: Limits;
  readonly without: readonly string[];
}

const controllerOf: Readonly<Record<keyof Limits, string>> = {
  vcpus: "cpu",
  memoryMiB: "memory",
  pids: "pids",
};

/**
 * A user gets the controllers that were delegated to it, often only some, and can do nothing about the others: those limits
 * are left out, which the caller must tell. With root of the machine every limit stays, and a missing one is an error later.
 */
export async function holdingLimits(
  layout: CgroupLayout,
  limits: Limits,
  isRootless: boolean,
): Promise<HoldingLimits> {
  if (!isRootless || layout.mode !== "v2") return { limits, without: [] };
  const text = await readFile(join(layout.unified, "cgroup.controllers"), "utf8");
  const available = text.trim().split(/\s+/);
  const kept = { ...limits };
  const without: string[] = [];
  for (const [limit, controller] of Object.entries(controllerOf) as [keyof Limits, string][]) {
    if (limits[limit] === 0 || available.includes(controller)) continue;
    kept[limit] = 0;
    without.push(controller);
  }
  return { limits: kept, without };
}

/** Whether root here is a user of the machine: reads the text of `/proc/self/uid_map`, see user_namespaces(7). */
export function isUserNamespace(uidMap: string): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap);
}

/** For people. */
export function withoutControllersText(controllers: readonly string[]): string {
  return `the pod VM has no limits of ${controllers.join(", ")}: these cgroup controllers were not delegated to this user`;
}
