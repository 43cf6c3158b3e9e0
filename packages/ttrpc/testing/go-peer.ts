import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);
const SOURCE = new URL("../interop/", import.meta.url).pathname;

/** The built Go peer, or why it cannot be built on this machine. */
export type GoPeerProgram = { readonly path: string } | { readonly missing: string };

/**
 * Builds the Go peer into the user's cache, once per state of its sources. No Go, or modules that cannot be fetched,
 * are reasons to skip; a peer that does not compile is an error.
 */
export async function buildGoPeer(env: NodeJS.ProcessEnv): Promise<GoPeerProgram> {
  let version: string;
  try {
    version = (await run("go", ["env", "GOVERSION"])).stdout.trim();
  } catch {
    return { missing: "no Go toolchain on the PATH; install Go 1.22 or later" };
  }
  const cache = join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "peerpods", "ttrpc-interop");
  const path = join(cache, `peer-${version}-${await hashOfSources()}`);
  if (await exists(path)) return { path };
  try {
    await run("go", ["mod", "download"], { cwd: SOURCE });
  } catch (error) {
    return {
      missing: `the Go modules cannot be fetched: ${String(error).split("\n").at(-2) ?? String(error)}`,
    };
  }
  await mkdir(cache, { recursive: true });
  const building = `${path}.${process.pid}`;
  try {
    await run("go", ["build", "-trimpath", "-o", building, "."], { cwd: SOURCE });
    await rename(building, path);
  } finally {
    await rm(building, { force: true });
  }
  return { path };
}

async function hashOfSources(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(SOURCE)).toSorted())
    hash.update(name).update(await readFile(join(SOURCE, name)));
  return hash.digest("hex").slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What `call` answers; see call.go. */
export interface GoResult {
  readonly answers: readonly string[];
  readonly error?: string;
  readonly code?: number;
  readonly message?: string;
  readonly details?: readonly string[];
}

/** A call for the Go client to make; see call.go. */
export interface GoCommand {
  readonly method: string;
  readonly text?: string;
  readonly number?: number;
  readonly length?: number;
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, readonly string[]>>;
  readonly service?: string;
  readonly times?: number;
}

/** A running Go peer. Its errors go to the test's stderr. */
export class GoPeer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** Starts the peer in one of its modes: a server or a client at `socket`. */
  constructor(program: string, mode: "serve" | "call", socket: string) {
    this.#process = spawn(program, [mode, socket], { stdio: ["pipe", "pipe", "inherit"] });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error("the peer has no stdout");
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  /** Resolves when a server listens. */
  async ready(): Promise<void> {
    const line = await this.#line();
    if (line !== "ready") throw new Error(`the peer said ${line}`);
  }

  /** Lets a client make a call, or several at once. */
  async call(command: GoCommand): Promise<GoResult> {
    this.#process.stdin?.write(`${JSON.stringify(command)}\n`);
    return JSON.parse(await this.#line()) as GoResult;
  }

  /** Ends it as a crash would. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.kill();
    await exited;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the peer ended with code ${this.#process.exitCode}`);
    return value;
  }
}
