import { readdir } from "node:fs/promises";
import { execa } from "execa";
import { isMissing } from "../../sandbox/journal/atomic-file.ts";
import { isClaimed } from "./network-claim.ts";

/** What the name of a bridge and namespace made by `peerpods run` looks like. */
const madeByRun = /^pprun-[0-9a-f]{8}$/;

/** Names of networks whose `peerpods run` was killed before it could remove them. */
export async function leftNetworks(): Promise<readonly string[]> {
  const [links, namespaces] = await Promise.all(["/sys/class/net", "/run/netns"].map(entries));
  const names = new Set([...(links ?? []), ...(namespaces ?? [])].filter((name) => madeByRun.test(name)));
  const left = await Promise.all([...names].map(async (name) => ((await isClaimed(name)) ? [] : [name])));
  return left.flat().toSorted();
}

/** Removes the bridge and the namespace of this name. Can be repeated. */
export async function removeNetwork(name: string): Promise<void> {
  await execa("ip", ["netns", "delete", name], { reject: false });
  await execa("ip", ["link", "delete", name], { reject: false });
}

/** Removes what killed runs have left, and returns the names of that. */
export async function sweepNetworks(): Promise<readonly string[]> {
  const names = await leftNetworks();
  for (const name of names) await removeNetwork(name);
  return names;
}

async function entries(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
