import { readdir, readFile } from "node:fs/promises";

/** Clock ticks of /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds (user and system) that the processes have used so far, all threads. */
export async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const { own } = await ticksOf(pid);
    ticks += own;
  }
  return ticks / TICKS_PER_SECOND;
}

/** The same for one process with its children, also those that have ended, and theirs. */
export async function cpuSecondsOfFamily(pid: number): Promise<number> {
  let ticks = 0;
  for (const each of [pid, ...(await childrenOf(pid))]) {
    const { own, endedChildren } = await ticksOf(each);
    ticks += own + endedChildren;
  }
  return ticks / TICKS_PER_SECOND;
}

async function ticksOf(pid: number): Promise<{ readonly own: number; readonly endedChildren: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The command name may hold blanks and brackets; the fields are counted from behind it.
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map(Number);
  return { own: user + system, endedChildren: childUser + childSystem };
}

/**
 * Proportional set size of a process and its children in KiB: memory that goes when they go, shared pages divided among
 * their users. A child that has ended meanwhile counts nothing.
 */
export async function pssKiB(pid: number): Promise<number> {
  let total = 0;
  for (const each of [pid, ...(await childrenOf(pid))]) {
    const rollup = await readFile(`/proc/${each}/smaps_rollup`, "utf8").catch((error: unknown) => {
      if (each === pid) throw error;
      return "";
    });
    total += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  }
  return total;
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}
