import { once } from "node:events";
import { connect, createServer } from "node:net";

/**
 * An abstract socket says that whoever made a network still runs. It lives in the network namespace that the bridge is
 * in, and the kernel takes it away with the process, whatever ended that; a process id would mean nothing in another
 * pid namespace, and a file would stay.
 */
const socketOf = (name: string): string => `\0peerpods-run/${name}`;

/** Says that the network of this name is in use, until disposal or the end of this process. */
export async function claimNetwork(name: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen({ path: socketOf(name) });
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

/** Whether the maker of the network still runs. What cannot be told counts as a yes. */
export async function isClaimed(name: string): Promise<boolean> {
  const socket = connect({ path: socketOf(name) });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ECONNREFUSED");
  } finally {
    socket.destroy();
  }
}
