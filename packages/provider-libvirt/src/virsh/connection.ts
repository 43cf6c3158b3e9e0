import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ProviderError,
  type CallContext,
  type CallPolicy,
  type Clock,
  type Try,
} from "@peerpods/cloud-providers";
import { virshError } from "./errors.ts";
import type { Run } from "./run.ts";

/** Asking libvirt by virsh: one process for each command, so any URI works and nothing is held between calls. */
export interface Connection {
  /** A command that changes nothing. Ends at once when the call does. @returns what virsh has printed. */
  ask(command: string, args: readonly string[], call: CallContext): Promise<string>;
  /**
   * A command that changes something. When the call ends, the command is given {@link ACT_GRACE_MS} to end too: what
   * libvirt has been told cannot be taken back, and who undoes must not be overtaken by it.
   */
  act(command: string, args: readonly string[], call: ActCall): Promise<string>;
  /** Runs another program of this machine. */
  readonly run: Run;
  readonly env: Readonly<Record<string, string>>;
}

export interface ActCall extends CallContext {
  /** A document that virsh reads from a file, whose path comes behind the other arguments as `--file`. */
  readonly document?: string;
  /** Begins something that more commands have to finish or undo. Default false. */
  readonly begins?: boolean;
}

/** How long a command that changes something may go on after the end of its call. */
export const ACT_GRACE_MS = 5_000;

/** Starting a domain on a host whose KVM hangs has been seen to take 76 s. */
const COMMAND_TIMEOUT_MS = 120_000;

export interface ConnectionParts {
  readonly uri: string;
  readonly run: Run;
  readonly policy: CallPolicy;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string>>;
  /** Directory for documents, which are there for moments. */
  readonly stateDir: string;
}

export function createConnection(parts: ConnectionParts): Connection {
  const { uri, run, policy, clock, env, stateDir } = parts;
  const virsh = async (command: string, args: readonly string[], signal: AbortSignal) => {
    const all = ["--quiet", "--connect", uri, command, ...args];
    const result = await run("virsh", all, { signal, timeoutMs: COMMAND_TIMEOUT_MS, env });
    if (result.ok) return result.stdout;
    throw virshError(command, result);
  };
  return {
    run,
    env,
    async ask(command, args, call) {
      const attempt = ({ signal }: Try) => orAborted(signal, virsh(command, args, signal));
      return await policy.run({ name: command, repeat: "repeatable" }, attempt, call);
    },
    async act(command, args, { document, begins = false, ...call }) {
      await using file = document === undefined ? undefined : await writeDocument(stateDir, document);
      const all = file === undefined ? args : [...args, "--file", file.path];
      const attempt = async ({ signal }: Try) => {
        using late = endLater(signal, clock);
        return await orAborted(signal, virsh(command, all, late.signal));
      };
      return await policy.run({ name: command, repeat: "repeatable", begins }, attempt, call);
    },
  };
}

/** After an abort its reason is what counts, not how a program ended that was killed. */
async function orAborted<T>(signal: AbortSignal, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** virsh opens its documents by name, and a pipe of Node has none. */
async function writeDocument(
  directory: string,
  content: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const own = await mkdtemp(join(directory, "virsh-"));
  const path = join(own, "document.xml");
  await writeFile(path, content, { mode: 0o600 });
  return { path, [Symbol.asyncDispose]: () => rm(own, { recursive: true, force: true }) };
}

/** A signal that follows another one after the grace. */
function endLater(signal: AbortSignal, clock: Clock): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  const over = new AbortController();
  const follow = () => {
    clock.sleep(ACT_GRACE_MS, { signal: over.signal }).then(
      () => end.abort(signal.reason),
      () => undefined,
    );
  };
  signal.throwIfAborted();
  signal.addEventListener("abort", follow, { once: true });
  return {
    signal: end.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener("abort", follow);
      over.abort();
    },
  };
}

/** What `act` gives, or `undefined` when what it was about is gone. */
export async function unlessGone<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act;
  } catch (error) {
    if (error instanceof ProviderError && error.code === "not_found") return undefined;
    throw error;
  }
}
