import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { access } from "node:fs/promises";
import { execa } from "execa";
import { reasonOf, RelayError } from "../errors.ts";

/** How a relay process is started; each leaves it in a session and cgroup that are not the starter's. */
export interface RelayLauncher {
  /** Starts the command and returns when it runs, not when it is ready. */
  launch(command: readonly string[], options: { readonly signal: AbortSignal }): Promise<LaunchedRelay>;
}

export interface LaunchedRelay {
  /** Resolves with the reason when the process has already ended; never resolves while it runs. */
  readonly ended: Promise<string>;
}

/** Name of the relay's cgroup and of its transient unit. */
export const RELAY_UNIT = "peerpods-agent-relay";

/** systemd's presence, as `sd_booted(3)` finds it. */
const SYSTEMD_MARK = "/run/systemd/system";

/** The launcher that fits this machine: a transient systemd unit, or a detached process in a cgroup of its own. */
export async function chooseLauncher(logFile: string): Promise<RelayLauncher> {
  const isSystemd = await access(SYSTEMD_MARK).then(
    () => true,
    () => false,
  );
  return isSystemd ? systemdLauncher : detachedLauncher(logFile);
}

/**
 * Starts a transient service, which stopping the daemon's own unit does not touch. Its output goes to the journal; what
 * is left of an earlier one is collected.
 */
const systemdLauncher: RelayLauncher = {
  launch: async (command, { signal }) => {
    const result = await execa(
      "systemd-run",
      [`--unit=${RELAY_UNIT}`, "--collect", "--quiet", "--property=UMask=0077", "--", ...command],
      { cancelSignal: signal, reject: false },
    );
    if (result.failed) {
      signal.throwIfAborted();
      throw new RelayError(
        "unavailable",
        `systemd-run cannot start the relay: ${result.stderr || result.shortMessage}`,
      );
    }
    return { ended: new Promise(() => undefined) };
  },
};

/** Starts the relay as a process of its own session that moves itself to a cgroup of its own. */
export function detachedLauncher(logFile: string): RelayLauncher {
  return {
    launch: ([program = "", ...args], { signal }) => {
      signal.throwIfAborted();
      const log = openSync(logFile, "a", 0o600);
      try {
        const child = spawn(program, [...args, "--cgroup", RELAY_UNIT], {
          detached: true,
          stdio: ["ignore", log, log],
          cwd: "/",
        });
        const ended = new Promise<string>((resolve) => {
          child.once("error", (error) => resolve(reasonOf(error)));
          child.once("exit", (code, killedBy) =>
            resolve(`it ended with ${killedBy ?? `status ${code}`}, see ${logFile}`),
          );
        });
        child.unref();
        return Promise.resolve({ ended });
      } finally {
        closeSync(log);
      }
    },
  };
}
