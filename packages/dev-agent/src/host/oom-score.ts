import { readFile } from "node:fs/promises";

const CAP_SYS_RESOURCE = 24n;

/** Our own oom_score_adj, and whether we may give a process a lower one. */
export async function readOwnOomScore(): Promise<{ score: number; mayLower: boolean }> {
  const score = Number(await readFile("/proc/self/oom_score_adj", "utf8"));
  const status = await readFile("/proc/self/status", "utf8");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return { score, mayLower: ((effective >> CAP_SYS_RESOURCE) & 1n) === 1n };
}
