import { readFile } from "node:fs/promises";
import { internal } from "../errors.ts";
import { waitForFile } from "../host/wait-for-file.ts";
import type { RuntimeChild } from "../process/runtime-child.ts";
import { readRuntimeErrors } from "./runtime.ts";

/**
 * Waits until the runtime has started the process, which it tells by writing the process's number.
 * @throws ConnectError INTERNAL with the runtime's words when it ends without having done so.
 */
export async function waitUntilStarted(
  process: { readonly child: RuntimeChild; readonly pidFile: string; readonly logFile: string },
  signal: AbortSignal,
): Promise<number> {
  const { child, pidFile, logFile } = process;
  const stopWaiting = new AbortController();
  const ended = child.exited.then(async (code) => {
    // It may have started, and ended, before anybody looked.
    const pid = parsePid(await readFile(pidFile, "utf8").catch(() => ""));
    if (pid !== undefined) return pid;
    throw internal((await readRuntimeErrors(logFile)) || `the OCI runtime ended with code ${code}`);
  });
  const appeared = waitForFile(pidFile, parsePid, AbortSignal.any([signal, stopWaiting.signal]));
  appeared.catch(() => {});
  ended.catch(() => {});
  try {
    return await Promise.race([appeared, ended]);
  } finally {
    stopWaiting.abort();
  }
}

function parsePid(text: string): number | undefined {
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}
