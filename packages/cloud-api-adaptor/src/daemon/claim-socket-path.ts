import { lstat, mkdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { isMissing } from "../sandbox/journal/atomic-file.ts";
import { MAX_SOCKET_PATH_BYTES } from "../sandbox/sandbox-id.ts";

const PROBE_TIMEOUT_MS = 2_000;

/** The path is taken or cannot be used. The message names it and says what to do. */
export class SocketPathError extends Error {
  override readonly name = "SocketPathError";
}

/**
 * Makes a unix socket path free to be bound: makes its directory, and removes the file that a dead process left there.
 * A socket that somebody listens on is never taken away, nor is anything that is no socket.
 * @param option name of the option the path came from, for messages.
 * @throws SocketPathError
 */
export async function claimSocketPath(path: string, option: string): Promise<void> {
  if (!path.startsWith("/")) throw new SocketPathError(`${option}: ${path} is not an absolute path`);
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new SocketPathError(
      `${option}: ${path} has ${bytes} bytes, a unix socket path at most ${MAX_SOCKET_PATH_BYTES}`,
    );
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const found = await statIfAny(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new SocketPathError(`${option}: ${path} exists and is no socket; remove it or choose another path`);
  }
  if (await isServed(path)) {
    throw new SocketPathError(
      `${option}: a running program listens on ${path}; stop it first, or choose another path`,
    );
  }
  // Between the look and now another daemon may have bound it: then the file is another one, and stays.
  if ((await statIfAny(path))?.ino === found.ino) await unlink(path);
}

/** Whether somebody accepts connections there. A listener that is too busy to answer counts as somebody. */
export async function isServed(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ path });
    socket.setTimeout(PROBE_TIMEOUT_MS);
    socket.once("connect", () => finish(true));
    socket.once("timeout", () => finish(true));
    socket.once("error", (error) => finish(!isDead(error)));
    function finish(served: boolean) {
      socket.destroy();
      resolve(served);
    }
  });
}

function isDead(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && (error.code === "ECONNREFUSED" || error.code === "ENOENT")
  );
}

async function statIfAny(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
