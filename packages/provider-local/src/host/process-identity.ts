import { readFile } from "node:fs/promises";

/** One process, told apart from a later one with the same number, also across a reboot of the machine. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which it started (field 22 of `/proc/<pid>/stat`). */
  readonly startTicks: number;
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
}

/** The fields of `/proc/<pid>/stat` that matter here. */
export interface ProcStat {
  readonly pid: number;
  /** One letter; `Z` and `X` are dead. */
  readonly state: string;
  readonly parent: number;
  readonly startTicks: number;
}

/** Reads one line in the form of `/proc/<pid>/stat`; the command's name in it may hold blanks and brackets. */
export function parseProcStat(line: string): ProcStat {
  const fields = line
    .slice(line.lastIndexOf(")") + 2)
    .trim()
    .split(" ");
  const stat = {
    pid: Number.parseInt(line, 10),
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    startTicks: Number(fields[19]),
  };
  if (![stat.pid, stat.parent, stat.startTicks].every(Number.isSafeInteger))
    throw new Error(`not a line of /proc/<pid>/stat: ${JSON.stringify(line.slice(0, 80))}`);
  return stat;
}

/** The id of this boot of the machine. */
export async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

/** Whether exactly this process still runs. A zombie does not run: it holds nothing any more. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  if (process.bootId !== (await readBootId())) return false;
  const line = await readFile(`/proc/${process.pid}/stat`, "utf8").catch(() => undefined);
  if (line === undefined) return false;
  const stat = parseProcStat(line);
  return stat.startTicks === process.startTicks && stat.state !== "Z" && stat.state !== "X";
}
