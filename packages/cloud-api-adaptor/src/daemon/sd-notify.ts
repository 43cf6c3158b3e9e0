import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "@peerpods/cloud-providers";

const TIMEOUT_MS = 5_000;
const run = promisify(execFile);

/** Tells the service manager how the daemon is. Without `NOTIFY_SOCKET` nobody wants to know. */
export interface ServiceNotifier {
  /** Never rejects: a failure is logged, and the service manager's own timeout decides. */
  notify(state: "READY=1" | "STOPPING=1"): Promise<void>;
}

/**
 * Notifies systemd through its own tool, since Node has no datagram unix sockets. The message comes from a child process,
 * so the unit needs `NotifyAccess=all`.
 */
export function createServiceNotifier({
  notifySocket,
  logger,
  command = "systemd-notify",
}: {
  readonly notifySocket: string | undefined;
  readonly logger: Logger;
  readonly command?: string;
}): ServiceNotifier {
  return {
    notify: async (state) => {
      if (notifySocket === undefined || notifySocket === "") return;
      try {
        await run(command, [`--pid=${process.pid}`, state], {
          env: { ...process.env, NOTIFY_SOCKET: notifySocket },
          timeout: TIMEOUT_MS,
        });
      } catch (error) {
        logger.warn(
          { err: error, state },
          "service manager could not be notified; is systemd-notify installed?",
        );
      }
    },
  };
}
