import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../host/until.ts";
import { cgroupMounts, mountOfController, type CgroupLayout } from "./layout.ts";
import { missingController, planLimits, type Limits } from "./limits.ts";

const END_TIMEOUT_MS = 20_000;

/**
 * Makes the cgroup of one pod VM in every hierarchy, directly below its mount point, so that it belongs neither to
 * the daemon's unit nor to any other pod's, and writes the limits. Can be repeated.
 */
export async function createVmCgroup(layout: CgroupLayout, name: string, limits: Limits): Promise<void> {
  const writes = planLimits(layout, limits);
  if (layout.mode === "v2")
    await offerControllers(
      layout.unified,
      writes.map((w) => w.controller),
    );
  await Promise.all(cgroupMounts(layout).map((mount) => mkdir(join(mount, name), { recursive: true })));
  if (layout.mode === "v1") await fillCpuset(layout, name);
  for (const { mountPoint, file, value } of writes) await writeFile(join(mountPoint, name, file), value);
}

/** The files into which a process writes 0 to enter the VM's cgroup. */
export function entryFiles(layout: CgroupLayout, name: string): string[] {
  return cgroupMounts(layout).map((mount) => join(mount, name, "cgroup.procs"));
}

/**
 * v2 only: moves the VM's first processes from its cgroup, the root of its cgroup namespace, into a leaf below, because
 * a cgroup that hands controllers to its children must not hold processes itself. Then hands on all controllers,
 * so that a container runtime in the VM can use them.
 */
export async function moveToLeaf(
  layout: CgroupLayout & { mode: "v2" },
  name: string,
  pids: readonly number[],
): Promise<void> {
  const cgroup = join(layout.unified, name);
  await mkdir(join(cgroup, "init"));
  for (const pid of pids) await writeFile(join(cgroup, "init", "cgroup.procs"), String(pid));
  await offerControllers(cgroup, []);
}

/**
 * Kills every process of the VM, whatever state it is in, and removes its cgroup and all below it from every
 * hierarchy. Both together, until nothing is left: a starting VM may enter its cgroups one by one meanwhile.
 * Can be repeated.
 */
export async function destroyVmCgroup(
  layout: CgroupLayout,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const roots = cgroupMounts(layout).map((mount) => join(mount, name));
  const killAll = layout.unified === undefined ? undefined : join(layout.unified, name, "cgroup.kill");
  await until(
    async () => {
      // The kernel's own way takes forks in flight along; older kernels have no such file.
      if (killAll !== undefined) await writeFile(killAll, "1").catch(ignoreAbsent);
      const pids = new Set((await Promise.all(roots.map(processesBelow))).flat());
      for (const pid of pids) kill(pid);
      const removed = pids.size === 0 && (await Promise.all(roots.map(removeTree)));
      return removed && removed.every(Boolean);
    },
    {
      what: `the processes of ${name} end and its cgroups can be removed`,
      timeoutMs: END_TIMEOUT_MS,
      signal,
    },
  );
}

async function removeTree(cgroup: string): Promise<boolean> {
  for (const child of await childCgroups(cgroup)) if (!(await removeTree(child))) return false;
  try {
    await rmdir(cgroup);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return true;
    // The last exit is still being settled, or a child was made a moment ago.
    if (hasCode(error, "EBUSY", "ENOTEMPTY")) return false;
    throw error;
  }
}

/** A v1 cpuset is born empty and takes no process before it has been filled in. */
async function fillCpuset(layout: CgroupLayout & { mode: "v1" }, name: string): Promise<void> {
  const mount = mountOfController(layout, "cpuset");
  if (mount === undefined) return;
  for (const file of ["cpuset.cpus", "cpuset.mems"])
    await writeFile(join(mount, name, file), (await readFile(join(mount, file), "utf8")).trim());
}

/** Controllers that container runtimes set. */
const usual = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids"];

/** Makes controllers usable below `cgroup`: those that are needed must be there, the usual others are a bonus. */
async function offerControllers(cgroup: string, needed: readonly string[]): Promise<void> {
  const words = async (file: string) => (await readFile(join(cgroup, file), "utf8")).trim().split(/\s+/);
  const available = await words("cgroup.controllers");
  for (const controller of needed) if (!available.includes(controller)) throw missingController(controller);
  const offered = await words("cgroup.subtree_control");
  const missing = usual.filter((c) => available.includes(c) && !offered.includes(c));
  if (missing.length > 0)
    await writeFile(join(cgroup, "cgroup.subtree_control"), missing.map((c) => `+${c}`).join(" "));
}

async function processesBelow(cgroup: string): Promise<number[]> {
  const text = await readFile(join(cgroup, "cgroup.procs"), "utf8").catch(ignoreAbsent);
  const own = (text ?? "").split("\n").filter(Boolean).map(Number);
  const below = await Promise.all((await childCgroups(cgroup)).map(processesBelow));
  // 0 stands for a process of another pid namespace than ours; it has an own entry in the hierarchy that shows it.
  return [...own, ...below.flat()].filter((pid) => pid > 0);
}

async function childCgroups(cgroup: string): Promise<string[]> {
  const entries = (await readdir(cgroup, { withFileTypes: true }).catch(ignoreAbsent)) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(cgroup, entry.name));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

function ignoreAbsent(error: unknown): undefined {
  // ENODEV: the cgroup was removed after its file had been opened.
  if (hasCode(error, "ENOENT", "ENODEV")) return undefined;
  throw error;
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
