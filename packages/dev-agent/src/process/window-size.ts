import { readlink } from "node:fs/promises";
import { runTool, type Host } from "../host/host.ts";

/** Size of a terminal in characters. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Sets the size of the terminal that the process has, through the process's own descriptors: the device has a name
 * only inside the container. The kernel then tells the programs in its foreground.
 * @returns false when the process has no terminal.
 */
export async function setWindowSize(
  process: { readonly pid: number; readonly size: WindowSize },
  host: Host,
  signal: AbortSignal,
): Promise<boolean> {
  const device = await terminalOf(process.pid);
  if (device === undefined) return false;
  const { rows, columns } = process.size;
  const args = ["-F", device, "rows", String(rows), "cols", String(columns)];
  await runTool(host, host.tools.stty, { args, signal });
  return true;
}

async function terminalOf(pid: number): Promise<string | undefined> {
  for (const fd of [0, 1, 2]) {
    const path = `/proc/${pid}/fd/${fd}`;
    const target = await readlink(path).catch(() => undefined);
    if (target?.startsWith("/dev/pts/") || target === "/dev/console") return path;
  }
  return undefined;
}
