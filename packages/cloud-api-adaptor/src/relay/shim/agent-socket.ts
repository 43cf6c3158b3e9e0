import { chmod, lstat, unlink } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { reasonOf, RelayError } from "../errors.ts";

/** A bound agent socket. Disposing closes it and removes its file; connections live on. */
export interface AgentSocket extends AsyncDisposable {
  readonly path: string;
}

/**
 * Binds the unix socket that a shim dials, mode 0600. A socket file left there by an earlier process is removed.
 * @throws RelayError `invalid_request` when something else is at the path or it cannot be bound.
 */
export async function bindAgentSocket(
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<AgentSocket> {
  await removeStaleSocket(path);
  const server = createServer({ pauseOnConnect: false }, onConnection);
  try {
    await listen(server, path);
    await chmod(path, 0o600);
  } catch (error) {
    await close(server);
    throw new RelayError("invalid_request", `cannot bind the agent socket ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return { path, [Symbol.asyncDispose]: () => close(server) };
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new RelayError("invalid_request", `cannot use the agent socket ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new RelayError(
      "invalid_request",
      `cannot use the agent socket ${path}: a file that is no socket is there`,
    );
  }
  await unlink(path);
}

async function listen(server: Server, path: string): Promise<void> {
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen({ path }, listening.resolve);
  await listening.promise;
  server.off("error", listening.reject);
  // Accepting can fail later, when descriptors run out; that shim's connection is lost, the socket stays.
  server.on("error", () => undefined);
}

/** Node removes the file when the listener is closed. Open connections are not waited for. */
function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    // `close` waits for connections, whose end is the business of others.
    server.unref();
    resolve();
  });
}
