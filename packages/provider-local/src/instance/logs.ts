import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CallContext, ConsoleLog, ConsoleLogsRequest } from "@peerpods/cloud-providers";
import { instancePaths, type LocalHost } from "../local-host.ts";
import { namesOfReference } from "./delete.ts";

/** More files than guest programs there are; a VM may make as many as it likes. */
const MAX_LOGS = 16;
const fileForm = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})\.log$/;
const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** See `ConsoleLogs.consoleLogs`. */
export async function consoleLogs(
  local: LocalHost,
  request: ConsoleLogsRequest,
  call: CallContext,
): Promise<readonly ConsoleLog[]> {
  const paths = instancePaths(local.paths, namesOfReference(local.key, request).id);
  const wanted = [
    { name: "console", path: paths.consoleFile },
    ...(await filesIn(paths.logs)).map((file) => ({
      name: file.slice(0, -".log".length),
      path: join(paths.logs, file),
    })),
  ];
  const logs: ConsoleLog[] = [];
  for (const { name, path } of wanted) {
    call.signal.throwIfAborted();
    const end = await readEnd(path, request.maxBytes);
    if (end !== undefined) logs.push({ name, ...end });
  }
  return logs;
}

async function filesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && fileForm.test(entry.name))
      .map(({ name }) => name)
      .toSorted()
      .slice(0, MAX_LOGS);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The VM writes there and may put a link or a pipe in a file's place: neither is followed or waited for. */
async function readEnd(
  path: string,
  maxBytes: number,
): Promise<Pick<ConsoleLog, "text" | "truncated"> | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    const length = Math.min(stats.size, maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, stats.size - length);
    return { text: buffer.toString("utf8", 0, bytesRead), truncated: stats.size > length };
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === "ELOOP"))
      return undefined;
    throw error;
  }
}
