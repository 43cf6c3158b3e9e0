import { type Command, batchText } from "./batch.ts";
import { commandFailure } from "./failure.ts";
import { type CommandResult, type RunCommand, runCommand } from "./run.ts";

/** Where and under which limits commands run. */
export interface CommandOptions {
  /** Path of the network namespace; absent means the machine's own. */
  readonly netns?: string | undefined;
}

export interface QueryOptions extends CommandOptions {
  /** Ends the process early; without it, only the driver's own limit does. */
  readonly signal?: AbortSignal | undefined;
  /** IPv4 only. */
  readonly ipv4?: boolean;
  /** Link kinds and their settings. */
  readonly details?: boolean;
}

/**
 * The kernel's network through iproute2 and nftables, few processes at a time: each call is one.
 *
 * Calls that read take a signal. Calls that change something run to their end (milliseconds, or their deadline), so
 * that the caller always knows what has been done.
 * @throws PodNetworkError see `PodNetworkErrorCode`
 */
export interface IpRoute2 {
  /** Path of the namespace that "the machine's own" means for this driver. */
  readonly hostNetns: string;
  /** Answers of `ip -j`, one list per command. */
  queryIp(commands: readonly Command[], options: QueryOptions): Promise<readonly unknown[]>;
  /** Answers of `tc -j`, one list per command. */
  queryTc(commands: readonly Command[], options: QueryOptions): Promise<readonly unknown[]>;
  /** Answer of `nft -j`, or `undefined` where the thing asked for does not exist. */
  queryNft(args: readonly string[], options: QueryOptions): Promise<unknown>;
  /** Runs commands in order and stops at the first that fails. Answers of those that give one, as `ip -j` does. */
  ip(commands: readonly Command[], options?: CommandOptions): Promise<readonly unknown[]>;
  /** Runs commands in order and stops at the first that fails. */
  tc(commands: readonly Command[], options?: CommandOptions): Promise<void>;
  /** Applies a script as one transaction: all of it or nothing. */
  nft(script: string, options?: CommandOptions): Promise<void>;
  /** Runs tasks one after another: for what reads first and then changes what it read about. */
  exclusively<T>(task: () => Promise<T>): Promise<T>;
}

export interface IpRoute2Options {
  /** How programs are run; default: as child processes. */
  readonly run?: RunCommand;
  /** Namespace to take as the machine's own; default: that of this process. */
  readonly hostNetns?: string;
  /** Limit of one process, default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Makes a driver. One per machine and process, since `exclusively` holds within a driver. It holds no resources.
 * Needs `CAP_NET_ADMIN` and `CAP_SYS_ADMIN` for what it changes.
 */
export function createIpRoute2(options: IpRoute2Options = {}): IpRoute2 {
  const { run = runCommand, hostNetns, timeoutMs = 10_000 } = options;
  let lastTask: Promise<unknown> = Promise.resolve();

  async function execute(program: string, args: readonly string[], how: Execution): Promise<CommandResult> {
    how.signal?.throwIfAborted();
    const netns = how.netns ?? hostNetns;
    // nsenter replaces itself by the program, so it costs no process; `ip -n` knows names only, not paths.
    const entered =
      netns === undefined ? [program, ...args] : ["nsenter", `--net=${netns}`, program, ...args];
    const [first = program, ...rest] = entered;
    return run({ program: first, args: rest, input: how.input, timeoutMs, signal: how.signal });
  }

  async function change(program: string, args: readonly string[], how: Execution): Promise<void> {
    const result = await execute(program, args, how);
    if (result.exitCode !== 0) throw commandFailure({ program, ...how }, result);
  }

  async function answersOf(
    program: string,
    args: readonly string[],
    how: Execution,
  ): Promise<readonly unknown[]> {
    const result = await execute(program, args, how);
    if (result.exitCode !== 0) throw commandFailure({ program, ...how }, result);
    return result.stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [JSON.parse(line)]));
  }

  return {
    hostNetns: hostNetns ?? `/proc/${process.pid}/ns/net`,
    queryIp: (commands, { ipv4 = false, details = false, netns, signal }) =>
      answersOf("ip", [...(ipv4 ? ["-4"] : []), ...(details ? ["-d"] : []), "-j", "-batch", "-"], {
        input: batchText(commands),
        netns,
        signal,
      }),
    queryTc: (commands, { netns, signal }) =>
      answersOf("tc", ["-j", "-batch", "-"], { input: batchText(commands), netns, signal }),
    queryNft: async (args, { netns, signal }) => {
      const result = await execute("nft", ["-j", ...args], { input: "", netns, signal });
      if (result.exitCode === 0) return JSON.parse(result.stdout) as unknown;
      const failure = commandFailure({ program: "nft", input: args.join(" "), netns }, result);
      if (failure.code === "not_found") return undefined;
      throw failure;
    },
    ip: (commands, { netns } = {}) =>
      answersOf("ip", ["-j", "-batch", "-"], { input: batchText(commands), netns }),
    tc: (commands, { netns } = {}) => change("tc", ["-batch", "-"], { input: batchText(commands), netns }),
    nft: (script, { netns } = {}) => change("nft", ["-f", "-"], { input: script, netns }),
    exclusively: (task) => {
      const run = lastTask.then(task, task);
      lastTask = run;
      return run;
    },
  };
}

interface Execution {
  readonly input: string;
  readonly netns: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
