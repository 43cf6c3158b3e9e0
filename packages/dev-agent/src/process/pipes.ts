import { close, constants, open } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { runTool, type Host } from "../host/host.ts";

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK } = constants;
const openFd = promisify<string, number, number>(open);
const closeFd = promisify(close);

/** The ends of a process's stdio: streams for us, file descriptors for the process. */
export interface StdioPipes {
  readonly stdin: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** Descriptors 0, 1 and 2 of the process to be started. */
  readonly childFds: readonly [number, number, number];
  /** Closes our copies of the process's ends; without that no end of file is ever seen. */
  releaseChildEnds(): Promise<void>;
  /** Closes everything. Can be repeated. */
  destroy(): Promise<void>;
}

/**
 * Makes the pipes of a process. They are named pipes, because what Node makes for `stdio: "pipe"` is a pair of
 * sockets, and a program in a container cannot open `/dev/stdout` when that is a socket. The names, in `directory`,
 * are gone when this returns.
 */
export async function createStdioPipes(
  directory: string,
  host: Host,
  signal: AbortSignal,
): Promise<StdioPipes> {
  await using names = new AsyncDisposableStack();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  names.defer(() => rm(directory, { recursive: true, force: true }));
  const [inPath, outPath, errPath] = [join(directory, "in"), join(directory, "out"), join(directory, "err")];
  await makeFifos([inPath, outPath, errPath], host, signal);

  await using ours = new AsyncDisposableStack();
  const childEnds = ours.use(new AsyncDisposableStack());
  const out = await openOutput(outPath, childEnds);
  const stdout = ours.adopt(out.stream, destroy);
  const err = await openOutput(errPath, childEnds);
  const stderr = ours.adopt(err.stream, destroy);
  const input = await openInput(inPath, childEnds);
  const stdin = ours.adopt(input.stream, destroy);

  const kept = ours.move();
  return {
    stdin,
    stdout,
    stderr,
    childFds: [input.childFd, out.childFd, err.childFd],
    releaseChildEnds: () => childEnds.disposeAsync(),
    destroy: () => kept.disposeAsync(),
  };
}

/** Makes named pipes that only root can open. */
export async function makeFifos(paths: readonly string[], host: Host, signal: AbortSignal): Promise<void> {
  await runTool(host, host.tools.mkfifo, { args: ["-m", "600", ...paths], signal });
}

/** Reads a named pipe that never ends, because we hold its other end as well. */
export async function openEndlessReader(path: string): Promise<Socket> {
  return adoptFd(await openFd(path, O_RDWR | O_NONBLOCK), "read");
}

/** Writes to a named pipe that takes what fits into it even before anybody reads. */
export async function openPatientWriter(path: string): Promise<Socket> {
  return adoptFd(await openFd(path, O_RDWR | O_NONBLOCK), "write");
}

interface PipeEnds {
  readonly stream: Socket;
  /** Opened without O_NONBLOCK, as programs expect it. */
  readonly childFd: number;
}

/** The process writes, we read. */
async function openOutput(path: string, childEnds: AsyncDisposableStack): Promise<PipeEnds> {
  const ours = await openFd(path, O_RDONLY | O_NONBLOCK);
  try {
    const childFd = childEnds.adopt(await openFd(path, O_WRONLY), closeFd);
    // Only now: the stream reads at once, and without a writer that would be the end of the file.
    return { stream: adoptFd(ours, "read"), childFd };
  } catch (error) {
    await closeFd(ours);
    throw error;
  }
}

/** We write, the process reads. */
async function openInput(path: string, childEnds: AsyncDisposableStack): Promise<PipeEnds> {
  // Opening one end waits or fails while there is no other.
  const both = await openFd(path, O_RDWR);
  try {
    const childFd = childEnds.adopt(await openFd(path, O_RDONLY), closeFd);
    return { stream: adoptFd(await openFd(path, O_WRONLY | O_NONBLOCK), "write"), childFd };
  } finally {
    await closeFd(both);
  }
}

/** Hands the descriptor to the event loop: reads wait in epoll, not in one of the few file threads. */
function adoptFd(fd: number, use: "read" | "write"): Socket {
  const stream = new Socket({ fd, readable: use === "read", writable: use === "write" });
  // Whoever reads or writes sees the error there; without a listener it would end the agent.
  stream.on("error", () => {});
  return stream;
}

function destroy(stream: Socket): void {
  stream.destroy();
}
