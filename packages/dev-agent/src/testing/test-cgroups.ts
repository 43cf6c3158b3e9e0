import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./until.ts";

export const cgroupRoot = "/sys/fs/cgroup";
const v1Controllers = [
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "blkio",
  "pids",
  "systemd",
];

/** Cgroups for a test VM, in every hierarchy that it is going to see. */
export interface TestCgroups extends AsyncDisposable {
  readonly directories: readonly string[];
  /** v1 hierarchies by the names of their directories. */
  readonly controllers: readonly string[];
}

/** What OCI runtimes would find on this machine. */
export function machineCgroupVersion(): 1 | 2 {
  return existsSync(join(cgroupRoot, "cgroup.controllers")) ? 2 : 1;
}

/** Where this machine has its unified hierarchy, beside v1 ones or alone. */
export function unifiedHierarchy(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
}

export async function makeTestCgroups(name: string, version: 1 | 2): Promise<TestCgroups> {
  const present = readdirSync(cgroupRoot);
  const controllers = version === 2 ? [] : v1Controllers.filter((controller) => present.includes(controller));
  const directories =
    version === 2
      ? [join(unifiedHierarchy() ?? cgroupRoot, name)]
      : controllers.map((controller) => join(cgroupRoot, controller, name));
  for (const directory of directories) {
    await mkdir(directory);
    for (const file of directory.includes("/cpuset/") ? ["cpuset.cpus", "cpuset.mems"] : [])
      await writeFile(join(directory, file), await readFile(join(directory, "..", file)));
  }
  return { directories, controllers, [Symbol.asyncDispose]: () => remove(directories) };
}

/** The kernel lets go of a cgroup a moment after its last process. */
async function remove(directories: readonly string[]): Promise<void> {
  for (const directory of directories)
    await until(() => removeTree(directory), `the removal of ${directory}`);
}

async function removeTree(directory: string): Promise<boolean> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) await removeTree(join(directory, entry.name));
    await rmdir(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
