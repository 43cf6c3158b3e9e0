import { execa } from "execa";
import { ForwarderError } from "./errors.ts";

/** Tells the service manager how far the program is. */
export interface ServiceNotifier {
  /**
   * Serving now.
   * @throws ForwarderError `notify`, since a unit that is never notified would be killed at its start limit
   */
  ready(): Promise<void>;
  /** Ending now. Never throws: there is nobody left to care. */
  stopping(): Promise<void>;
}

const timeoutMs = 5000;

/**
 * Notifies systemd through its own `systemd-notify`, since Node has no datagram unix sockets. Without `NOTIFY_SOCKET`
 * nobody asked to be notified, and nothing is done.
 */
export function createServiceNotifier(env: Readonly<Record<string, string | undefined>>): ServiceNotifier {
  const socket = env["NOTIFY_SOCKET"];
  const notify = async (...args: string[]): Promise<void> => {
    if (!socket) return;
    await execa("systemd-notify", args, { env: { NOTIFY_SOCKET: socket }, timeout: timeoutMs });
  };
  return {
    async ready() {
      try {
        await notify("--ready", `--pid=${process.pid}`);
      } catch (error) {
        throw new ForwarderError("notify", "NOTIFY_SOCKET is set, but systemd-notify did not work", {
          cause: error,
        });
      }
    },
    async stopping() {
      await notify("STOPPING=1").catch(() => undefined);
    },
  };
}
