import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readControl } from "./files.ts";

/** The processes in a cgroup and those below it, as this pid namespace numbers them. */
export async function readMembers(directory: string): Promise<number[]> {
  const own = (await readControl(directory, "cgroup.procs"))?.split("\n") ?? [];
  // A process of another pid namespace shows up as 0, which kill would take for our own group.
  const pids = own.map(Number).filter((pid) => pid > 0);
  for (const child of await childCgroups(directory))
    pids.push(...(await readMembers(join(directory, child))));
  return pids;
}

async function childCgroups(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
