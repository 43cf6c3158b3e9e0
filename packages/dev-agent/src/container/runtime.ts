import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Host } from "../host/host.ts";

/** The OCI runtime, crun or runc, as far as their command lines agree. */
export interface OciRuntime {
  /** Runs a container in the foreground; ends with its exit code. */
  runCommand(container: RuntimeContainer): [string, ...string[]];
  /** Runs a process in a running container in the foreground; ends with its exit code. */
  execCommand(
    container: RuntimeContainer,
    exec: { specFile: string; pidFile: string; logFile: string },
  ): [string, ...string[]];
  update(id: string, resourcesFile: string, signal: AbortSignal): Promise<void>;
  pause(id: string, signal: AbortSignal): Promise<void>;
  resume(id: string, signal: AbortSignal): Promise<void>;
  /** Ends what is left of a container. A container that the runtime does not know is fine. */
  remove(id: string, signal: AbortSignal): Promise<void>;
}

/** A container's files that the runtime is told of. */
export interface RuntimeContainer {
  readonly id: string;
  readonly bundle: string;
  readonly pidFile: string;
  readonly logFile: string;
}

/** @param root directory of the runtime's state. */
export function createOciRuntime(host: Host, root: string): OciRuntime {
  const program = host.tools.runtime;
  // The agent gives plain paths; the VM may have a systemd, but it is not to be asked.
  const manager = basename(program) === "crun" ? ["--cgroup-manager=cgroupfs"] : [];
  const base = ["--root", root, ...manager];
  const command = async (args: readonly string[], signal: AbortSignal): Promise<void> => {
    await host.run(program, [...base, ...args], { signal });
  };
  const logging = (file: string) => ["--log", file, "--log-format", "json"];
  return {
    runCommand: ({ id, bundle, pidFile, logFile }) => [
      program,
      ...base,
      ...logging(logFile),
      "run",
      "--bundle",
      bundle,
      "--pid-file",
      pidFile,
      id,
    ],
    execCommand: ({ id }, { specFile, pidFile, logFile }) => [
      program,
      ...base,
      ...logging(logFile),
      "exec",
      "--process",
      specFile,
      "--pid-file",
      pidFile,
      id,
    ],
    update: (id, resourcesFile, signal) => command(["update", "--resources", resourcesFile, id], signal),
    pause: (id, signal) => command(["pause", id], signal),
    resume: (id, signal) => command(["resume", id], signal),
    remove: async (id, signal) => {
      // `delete --force` of an unknown container succeeds with runc and fails with crun.
      const known = await readFile(join(root, id, stateFile(program)), "utf8").then(
        () => true,
        () => false,
      );
      if (known) await command(["delete", "--force", id], signal);
    },
  };
}

/** The runtime's own words for why it failed: the errors in its log. */
export async function readRuntimeErrors(logFile: string): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  const messages = text.split("\n").flatMap((line) => {
    try {
      const entry = JSON.parse(line) as { level?: string; msg?: string };
      return entry.level === "error" && entry.msg !== undefined ? [entry.msg] : [];
    } catch {
      return [];
    }
  });
  return messages.join("; ");
}

function stateFile(program: string): string {
  return basename(program) === "crun" ? "status" : "state.json";
}
