import { chmod, lstat, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { once } from "node:events";
import { claimSocketPath } from "./claim-socket-path.ts";

/** The state directory, held by this daemon. Disposing lets another one have it. */
export interface StateDirectory extends AsyncDisposable {
  readonly path: string;
  readonly journal: string;
  readonly pki: string;
  /** Directory of one provider's own state; made with mode 0700. */
  provider(name: string): Promise<string>;
}

/**
 * Makes the state directory (mode 0700) and takes it for this daemon alone: two daemons on one journal would undo each
 * other's work. The hold ends with the process, however that ends.
 * @throws Error when another daemon has it, or it cannot be made private.
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid } = await lstat(path);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new Error(
      `state-dir: ${path} belongs to user ${uid}; keys are not written into another user's directory`,
    );
  }
  await chmod(path, 0o700);
  const hold = await holdDirectory(path);
  return {
    path,
    journal: join(path, "journal"),
    pki: join(path, "pki"),
    provider: async (name) => {
      const directory = join(path, "providers", name);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return directory;
    },
    [Symbol.asyncDispose]: hold,
  };
}

/** A listening socket is the one thing in a directory that the kernel takes back from a process that died. */
async function holdDirectory(path: string): Promise<() => Promise<void>> {
  const socketPath = join(path, "daemon.lock");
  await claimSocketPath(socketPath, "state-dir");
  const server = createServer((socket) => socket.destroy());
  server.listen({ path: socketPath });
  await once(server, "listening");
  server.unref();
  return async () => {
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
}
