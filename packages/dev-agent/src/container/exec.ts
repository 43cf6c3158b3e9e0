import { rm, writeFile } from "node:fs/promises";
import type { Process } from "@peerpods/kata-protocols/oci";
import { GuestProcess } from "../process/guest-process.ts";
import { startRuntime } from "../process/runtime-child.ts";
import { setWindowSize } from "../process/window-size.ts";
import { stringifyExact } from "../runtime-spec/json.ts";
import { runtimeProcess } from "../runtime-spec/process.ts";
import type { ContainerContext } from "./context.ts";
import { execFiles, type ContainerFiles } from "./files.ts";
import { waitUntilStarted } from "./started.ts";

/** A process to be run in a running container. */
export interface ExecRequest {
  readonly files: ContainerFiles;
  readonly execId: string;
  readonly process: Process | undefined;
  /** The container's own process, from which an exec takes what its request does not carry. */
  readonly init: Process | undefined;
}

/** Runs a process in a container. */
export async function startExec(
  request: ExecRequest,
  context: ContainerContext,
  signal: AbortSignal,
): Promise<GuestProcess> {
  const { files, execId, process, init } = request;
  const { specFile, pidFile, logFile, scratch } = execFiles(files, execId);
  const spec = runtimeProcess(process && inherit(process, init), context.oomScoreAdj);
  await writeFile(specFile, stringifyExact(spec), { mode: 0o600 });
  try {
    const argv = context.runtime.execCommand(files, { specFile, pidFile, logFile });
    const terminal = process?.Terminal ?? false;
    const child = await startRuntime({ argv, terminal, scratch }, context.host, signal);
    const pid = await waitUntilStarted({ child, pidFile, logFile }, signal);
    const { Height: rows = 0, Width: columns = 0 } = process?.ConsoleSize ?? {};
    if (terminal && rows > 0) await setWindowSize({ pid, size: { rows, columns } }, context.host, signal);
    return new GuestProcess({ execId, terminal, pid, child });
  } finally {
    for (const file of [specFile, pidFile, logFile]) await rm(file, { force: true });
  }
}

/** The shim sends an exec without capabilities; it gets those of the container, never more. */
function inherit(process: Process, init: Process | undefined): Process {
  if (process.Capabilities !== undefined || init === undefined) return process;
  const { Capabilities, NoNewPrivileges, OOMScoreAdj } = init;
  return { ...process, ...(Capabilities && { Capabilities }), NoNewPrivileges, OOMScoreAdj };
}
