import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { isProviderError } from "@peerpods/cloud-providers";
import { parseProcStat, readBootId, type ProcessIdentity } from "../host/process-identity.ts";
import { findProgram } from "../host/programs.ts";
import { searchPath } from "../host/run.ts";
import { bootEnvironment, type VmPlan } from "./vm-plan.ts";

/** The VM's first processes, as numbers of this machine. */
export interface StartedVm {
  /** Waits outside the VM for its end. */
  readonly supervisor: number;
  /** PID 1 inside. */
  readonly init: number;
}

export interface LaunchOptions {
  /** Aborting kills what has been started so far. */
  readonly signal: AbortSignal;
  /** Called once the namespaces exist, before the VM does anything: puts its processes where they stay. */
  place(vm: StartedVm): Promise<void>;
  /** Called next, while the VM makes its root: makes `eth0`. */
  connect(vm: StartedVm): Promise<void>;
}

/** Enters the VM's cgroups first, so that nothing of the VM ever runs outside, then becomes unshare(1). */
const launcher = `set -eu
for file in $PEERPOD_CGROUP_ENTRIES; do echo 0 >"$file"; done
exec "$PEERPOD_UNSHARE" --mount --net --uts --ipc --cgroup --pid --fork --kill-child -- \
  "$PEERPOD_BUSYBOX" sh "$PEERPOD_BOOT"`;

const CONSOLE_TAIL_BYTES = 2000;

/**
 * Starts a pod VM and waits until its init has set up the network. The VM is in a session and cgroups of its own, so
 * it outlives this process. If this process dies on the way, the VM notices and ends; so does a failing boot.
 * @throws Error with the end of the console, what `place` and `connect` throw, or `signal.reason`.
 */
export async function launchVm(plan: VmPlan, options: LaunchOptions): Promise<ProcessIdentity> {
  options.signal.throwIfAborted();
  // By its path: busybox's shell would take its own unshare, which knows no cgroup namespaces.
  const unshare = await findProgram("unshare");
  if (unshare === undefined) throw new Error("unshare (package util-linux) is not installed");
  const terminal = await open(plan.consoleFile, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(plan.busybox, ["sh", "-c", launcher], {
      stdio: ["pipe", terminal.fd, terminal.fd, "pipe"],
      detached: true,
      cwd: "/",
      env: { PATH: searchPath.join(":"), PEERPOD_UNSHARE: unshare, ...bootEnvironment(plan) },
    });
    await once(child, "spawn");
  } finally {
    await terminal.close();
  }
  try {
    return await handshake(child, options);
  } catch (error) {
    child.kill("SIGKILL");
    options.signal.throwIfAborted();
    if (isProviderError(error)) throw error;
    throw new Error(`the pod VM did not boot: ${messageOf(error)}${await consoleTail(plan.consoleFile)}`, {
      cause: error,
    });
  } finally {
    // From here on the VM is on its own.
    child.stdin?.destroy();
    (child.stdio[3] as Readable).destroy();
    child.unref();
  }
}

async function handshake(child: ChildProcess, options: LaunchOptions): Promise<ProcessIdentity> {
  const reports = reportsOf(child, options.signal);
  const started = parseProcStat(await nextReport(reports, "started"));
  const vm = { supervisor: child.pid ?? started.parent, init: started.pid };
  // A VM that has ended meanwhile shows in the next report, not here.
  child.stdin?.on("error", () => undefined);
  await options.place(vm);
  child.stdin?.write("placed\n");
  await options.connect(vm);
  child.stdin?.write("connected\n");
  await nextReport(reports, "booted");
  return { pid: started.pid, startTicks: started.startTicks, bootId: await readBootId() };
}

function reportsOf(child: ChildProcess, signal: AbortSignal): AsyncIterator<string> {
  const lines = createInterface({ input: child.stdio[3] as Readable, signal });
  return lines[Symbol.asyncIterator]();
}

/** The rest of the next line, which must begin with `word`. */
async function nextReport(reports: AsyncIterator<string>, word: string): Promise<string> {
  const { value, done } = await reports.next();
  if (done) throw new Error(`it ended before it had ${word}`);
  const [first, ...rest] = value.split(" ");
  if (first !== word) throw new Error(`it reported ${JSON.stringify(first)} instead of ${word}`);
  return rest.join(" ");
}

async function consoleTail(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text === "" ? "" : `; its console:\n${text.slice(-CONSOLE_TAIL_BYTES).trim()}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
