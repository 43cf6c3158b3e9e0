import { open, statfs, access, constants, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { release } from "node:os";
import { execa } from "execa";
import { isMissing } from "../../sandbox/journal/atomic-file.ts";
import { leftNetworks } from "../run/left-networks.ts";

const MAX_FILE_BYTES = 65_536;
const RUN_TIMEOUT_MS = 10_000;

/** What a program said. */
export interface ProgramResult {
  readonly ok: boolean;
  /** It is not installed. */
  readonly missing: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the checks may know and try of this machine; nothing they do stays. */
export interface DoctorHost {
  readonly uid: number;
  readonly kernelRelease: string;
  readonly nodeVersion: string;
  /** When this program was built, milliseconds since the epoch. */
  readonly builtAtMs: number;
  now(): number;
  /** A small file's text; `undefined` when there is none. */
  read(path: string): Promise<string | undefined>;
  run(
    program: string,
    args: readonly string[],
    options: { readonly signal: AbortSignal; readonly input?: string },
  ): Promise<ProgramResult>;
  /** The file system a path is on. */
  fileSystem(path: string): Promise<{ readonly freeBytes: number; readonly isMemory: boolean }>;
  exists(path: string): Promise<boolean>;
  canWrite(path: string): Promise<boolean>;
  /** Whether a TCP port of the loopback address can be listened on. */
  isPortFree(port: number): Promise<boolean>;
  /** Names of networks that a killed `peerpods run` has left. */
  leftNetworks(): Promise<readonly string[]>;
}

/** `TMPFS_MAGIC` and `RAMFS_MAGIC` of statfs(2). */
const memoryFileSystems = [0x01_02_19_94, 0x85_84_58_f6];

/**
 * This machine.
 * @param programFile of the running program; its age tells whether the clock can be right.
 */
export async function thisHost(programFile: string): Promise<DoctorHost> {
  const { mtimeMs } = await stat(programFile);
  return {
    uid: process.geteuid?.() ?? -1,
    kernelRelease: release(),
    nodeVersion: process.version,
    builtAtMs: mtimeMs,
    now: () => Date.now(),
    async read(path) {
      try {
        await using file = await open(path);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES), 0, MAX_FILE_BYTES, 0);
        return buffer.toString("utf8", 0, bytesRead);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async run(program, args, { signal, input = "" }) {
      const result = await execa(program, args, {
        cancelSignal: signal,
        input,
        reject: false,
        timeout: RUN_TIMEOUT_MS,
        env: { LC_ALL: "C" },
      });
      signal.throwIfAborted();
      return {
        ok: !result.failed,
        missing: result.code === "ENOENT",
        stdout: result.stdout,
        stderr: result.stderr || (result.failed ? (result.shortMessage ?? "") : ""),
      };
    },
    async fileSystem(path) {
      const { bavail, bsize, type } = await statfs(path);
      return { freeBytes: bavail * bsize, isMemory: memoryFileSystems.includes(type) };
    },
    exists: (path) => isAllowed(path, constants.F_OK),
    canWrite: (path) => isAllowed(path, constants.W_OK | constants.X_OK),
    async isPortFree(port) {
      const server = createServer();
      try {
        server.listen(port, "127.0.0.1");
        await once(server, "listening");
        return true;
      } catch {
        return false;
      } finally {
        server.close();
      }
    },
    leftNetworks,
  };
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}
