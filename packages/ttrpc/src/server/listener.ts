import { Buffer } from "node:buffer";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { TtrpcAddress } from "../connection/address.ts";

/** Longest path of a unix socket, in bytes; the kernel's structure has room for 108 with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** A bound socket that gives each connection to `onConnection`. */
export interface Listener {
  /** Where it listens, with the port that was chosen for port 0. */
  readonly address: TtrpcAddress;
  /** Stops listening and removes the socket file; connections stay. */
  close(): void;
}

/**
 * Binds a socket. The file of a unix socket that nobody listens on any more is replaced, one in use is not.
 *
 * @throws Error that names the address and what is wrong with it.
 */
export async function bind(address: TtrpcAddress, onConnection: (socket: Socket) => void): Promise<Listener> {
  if (!("path" in address)) return tryBind(address, onConnection);
  const bytes = Buffer.byteLength(address.path);
  if (bytes > MAX_SOCKET_PATH_BYTES || bytes === 0) {
    throw new Error(
      `socket path ${JSON.stringify(address.path)} has ${bytes} bytes, allowed are 1 to ${MAX_SOCKET_PATH_BYTES}`,
    );
  }
  try {
    return await tryBind(address, onConnection);
  } catch (error) {
    if (!hasCode(error, "EADDRINUSE") || !(await isStale(address.path))) throw error;
    await rm(address.path, { force: true });
    return tryBind(address, onConnection);
  }
}

async function tryBind(address: TtrpcAddress, onConnection: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ noDelay: true }, onConnection);
  server.listen("path" in address ? { path: address.path } : { host: address.host, port: address.port });
  await once(server, "listening");
  return { address: boundAddress(server, address), close: () => void server.close() };
}

function boundAddress(server: Server, asked: TtrpcAddress): TtrpcAddress {
  const bound = server.address();
  if ("path" in asked || bound === null || typeof bound === "string") return asked;
  return { host: asked.host, port: bound.port };
}

/** Whether a socket file is what a process left behind: connecting to it is refused. */
async function isStale(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    return hasCode(error, "ECONNREFUSED");
  } finally {
    socket.destroy();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
