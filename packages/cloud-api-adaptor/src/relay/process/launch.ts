import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { access } from "node:fs/promises";
import type { Logger } from "@peerpods/cloud-providers";
import { execa } from "execa";
import { reasonOf } from "../errors.ts";

/** How a relay process is started; each leaves it in a session and cgroup that are not the starter's. */
export interface RelayLauncher {
  /** Starts the command and returns when it runs, not when it is ready. */
  launch(command: readonly string[], options: { readonly signal: AbortSignal }): Promise<LaunchedRelay>;
}

/** A relay on its way. Disposal ends the watching of it; the relay goes on. */
export interface LaunchedRelay extends Disposable {
  /** Resolves with the reason when the process has already ended; never resolves while it runs. */
  readonly ended: Promise<string>;
}

/** Name of the relay's cgroup, and the beginning of that of its transient unit. */
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
 * is left of an earlier one is collected. Each start has a unit of its own, so that several daemons of a machine, or two
 * starts at once, do not meet in a name: the relay's lock decides among them.
 */
const systemdLauncher: RelayLauncher = {
  launch: (command, { signal }) => {
    signal.throwIfAborted();
    const unit = `${RELAY_UNIT}-${randomBytes(4).toString("hex")}`;
    const flags = [`--unit=${unit}`, "--collect", "--quiet", "--wait", "--property=UMask=0077"];
    // It only watches: ended early, it leaves the unit alone.
    const watch = execa("systemd-run", [...flags, "--", ...command], { reject: false });
    const ended = watch.then(({ stderr, shortMessage, exitCode }) => {
      const why = stderr || shortMessage || `status ${exitCode}`;
      return `unit ${unit}: ${why}; journalctl --unit ${unit} may say more`;
    });
    return Promise.resolve({ ended, [Symbol.dispose]: () => void watch.kill("SIGTERM") });
  },
};

/** Starts nothing: somebody else runs the relay, and its socket is about to answer. */
export function awaitedLauncher(logger: Logger): RelayLauncher {
  return {
    launch: () => {
      logger.info({}, "waiting for the agent relay, which something else starts");
      return Promise.resolve({ ended: new Promise(() => undefined), [Symbol.dispose]: () => undefined });
    },
  };
}

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
        return Promise.resolve({ ended, [Symbol.dispose]: () => undefined });
      } finally {
        closeSync(log);
      }
    },
  };
}
