import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { readMembers } from "../cgroup/members.ts";
import { invalidArgument } from "../errors.ts";
import type { GuestProcess } from "../process/guest-process.ts";

const MAX_SIGNAL = 64;

/** @throws ConnectError INVALID_ARGUMENT for a number that is no signal. */
export function checkSignal(signal: number): void {
  if (signal < 1 || signal > MAX_SIGNAL) throw invalidArgument(`signal ${signal} does not exist`);
}

/** Signals a process; one that has ended is fine. */
export function signalProcess(process: GuestProcess, signal: number): void {
  if (!process.over) send(process.pid, signal);
}

/**
 * What SIGTERM becomes for an init process: the kernel drops signals to an init that has no handler for them, so a
 * container without one would never stop.
 */
export async function effectiveInitSignal(pid: number, signal: number): Promise<number> {
  if (signal !== constants.signals.SIGTERM) return signal;
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const handled = (caught >> BigInt(signal - 1)) & 1n;
  return handled === 1n ? signal : constants.signals.SIGKILL;
}

/** Kills every process in a cgroup, again and again until none is left, because they may fork in between. */
export async function killMembers(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const pids = await readMembers(directory);
    if (pids.length === 0) return;
    for (const pid of pids) send(pid, constants.signals.SIGKILL);
    await delay(10);
  }
}

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
