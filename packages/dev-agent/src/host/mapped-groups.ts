import { readFile } from "node:fs/promises";

/** Tells whether a group id exists here: in a namespace of one user there is only group 0. */
export type GroupExists = (gid: number) => boolean;

/** Reads the groups of this process' user namespace; see user_namespaces(7). */
export async function readMappedGroups(path = "/proc/self/gid_map"): Promise<GroupExists> {
  return parseMappedGroups(await readFile(path, "utf8"));
}

export function parseMappedGroups(gidMap: string): GroupExists {
  const ranges = gidMap
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((numbers) => numbers.length === 3);
  return (gid) => ranges.some(([first = 0, , count = 0]) => gid >= first && gid < first + count);
}
