import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";

const firstDelayMs = 200;
const lastDelayMs = 5000;

/** How mount points are looked up; the defaults are this machine's. */
export interface MountWaitOptions {
  readonly signal: AbortSignal;
  /** Default 3 minutes. */
  readonly timeoutMs?: number;
  /** Default `/proc/self/mountinfo`. */
  readonly mountInfoPath?: string;
}

/** The mount points in the text of a `mountinfo` file, unescaped (proc(5)). */
export function parseMountPoints(mountInfo: string): ReadonlySet<string> {
  const points = new Set<string>();
  for (const line of mountInfo.split("\n")) {
    const point = line.split(" ")[4];
    if (point !== undefined) points.add(unescapeOctal(point));
  }
  return points;
}

export async function isMountPoint(path: string, mountInfoPath = "/proc/self/mountinfo"): Promise<boolean> {
  return parseMountPoints(await readFile(mountInfoPath, "utf8")).has(path);
}

/**
 * Waits until something is mounted at `path`.
 * @throws ConnectError DEADLINE_EXCEEDED when nothing was in time; the signal's reason
 */
export async function waitForMountPoint(path: string, options: MountWaitOptions): Promise<void> {
  const { signal, timeoutMs = 180_000, mountInfoPath } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, lastDelayMs)) {
    if (await isMountPoint(path, mountInfoPath)) return;
    await delay(delayMs, undefined, { signal: AbortSignal.any([signal, deadline]) }).catch(() => {
      signal.throwIfAborted();
      throw new ConnectError(`Timeout waiting for device to mount to ${path}`, Code.DeadlineExceeded);
    });
  }
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
