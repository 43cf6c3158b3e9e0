import { randomBytes, randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { dialTtrpc } from "@peerpods/ttrpc";
import { execa } from "execa";
import { relayCommandBeside } from "../../relay/process/relay-command.ts";
import { CommandError } from "../command-error.ts";

/** A daemon and a relay of our own, with every path below one directory. Disposal ends both; pods must be gone by then. */
export interface PrivateDaemon extends AsyncDisposable {
  readonly controlSocket: string;
  /** Marks everything that this daemon makes. */
  readonly clusterId: string;
  /** Where it writes down what it makes. */
  readonly journalDirectory: string;
  /** Where the provider keeps its state. */
  readonly providerStateDir: string;
  /** Ends the daemon and waits for it; can be repeated. */
  stop(): Promise<void>;
  /** Removes its directory at disposal. To be called once nothing is left that the journal in it tells of. */
  forget(): void;
  readonly directory: string;
}

/** What is started. */
export interface PrivateDaemonOptions {
  readonly provider: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** URL of the running program; daemon and relay lie beside it. */
  readonly programUrl: string;
}

/** The path of an agent socket has a sandbox id in it and may have 107 characters, whatever TMPDIR says. */
const SHORT_PREFIX = "/tmp/pptry-";
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const END_TIMEOUT_MS = 60_000;
const LOG_CHARACTERS = 2_000;

/**
 * Starts both and waits until the daemon answers.
 * @throws CommandError with the end of its log when it does not come up.
 */
export async function startPrivateDaemon(
  options: PrivateDaemonOptions,
  signal: AbortSignal,
): Promise<PrivateDaemon> {
  const { provider, argv, programUrl } = options;
  // Its pod is nobody's: no cluster shall hear of it, also when the tool is called in the pod of a daemon.
  const env = { ...options.env, KUBERNETES_SERVICE_HOST: undefined, PEERPODS_KUBECONFIG: undefined };
  const directory = await mkdtemp(SHORT_PREFIX);
  const at = (name: string) => join(directory, name);
  const clusterId = `try-${randomBytes(6).toString("hex")}`;
  const providerStateDir = at(`state/providers/${provider}`);
  await mkdir(providerStateDir, { recursive: true, mode: 0o700 });
  await mkdir(at("pods"), { mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  let keep = false;
  undo.defer(async () => {
    if (!keep) await rm(directory, { recursive: true, force: true });
  });
  const [node = process.execPath, ...relayArgs] = relayCommandBeside(programUrl);
  const relay = run([node, ...relayArgs, "--socket", at("relay.sock"), "--log-level", "error"], env);
  undo.defer(() => end(relay));
  await untilAnswering(relay, { path: at("relay.sock"), what: "agent relay" }, signal);
  const daemon = run(
    [
      process.execPath,
      ...process.execArgv,
      beside(programUrl, "main"),
      provider,
      // Ids of tunnels are the machine's, and another daemon may run on it. The person's own flags win.
      ...["-vxlan-min-id", String(randomInt(1_000_000, 16_000_000)), "-probe-port", "0"],
      ...argv,
      ...["-socket", at("hypervisor.sock"), "-pods-dir", at("pods"), "-state-dir", at("state")],
      ...["-control-socket", at("control.sock"), "-relay-socket", at("relay.sock"), "-cluster-id", clusterId],
      ...["-kubeconfig", ""],
    ],
    env,
  );
  undo.defer(() => end(daemon));
  let log = "";
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.on("data", (chunk: Buffer) => (log = (log + chunk.toString("utf8")).slice(-LOG_CHARACTERS)));
  await untilAnswering(daemon, { path: at("control.sock"), what: "daemon", log: () => log }, signal);
  // From here on the journal may tell of a machine that costs money.
  keep = true;
  const parts = undo.move();
  return {
    directory,
    controlSocket: at("control.sock"),
    clusterId,
    journalDirectory: at("state/journal"),
    providerStateDir,
    stop: () => end(daemon),
    forget: () => void (keep = false),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/**
 * In a process group of its own: Ctrl-C at a terminal, or `timeout`, signals the whole group of the tool, and a daemon
 * that ends before its pod was stopped leaves the pod as it is.
 */
function run([file = "", ...args]: readonly string[], env: PrivateDaemonOptions["env"]) {
  const child = execa(file, args, {
    env,
    extendEnv: false,
    stdin: "ignore",
    buffer: false,
    reject: false,
    detached: true,
  });
  // What has a group of its own is not ended by execa when this program fails.
  const endToo = () => void child.kill("SIGTERM");
  process.once("exit", endToo);
  void child.then(() => process.off("exit", endToo));
  return child;
}

type Child = ReturnType<typeof run>;

/** Waits until something listens on the socket of a program that was just started. */
async function untilAnswering(
  child: Child,
  {
    path,
    what,
    log = () => "",
  }: { readonly path: string; readonly what: string; readonly log?: () => string },
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  void child.then(() => gone.abort());
  const waiting = AbortSignal.any([signal, gone.signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  for (;;) {
    try {
      await (await dialTtrpc({ path }, { signal: waiting }))[Symbol.asyncDispose]();
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (waiting.aborted)
        throw new CommandError(
          `the ${what} ${gone.signal.aborted ? "has ended" : "does not answer"}\n${log()}`,
          {
            remedy: "peerpods doctor <provider> says what is missing on this node",
            cause: error,
          },
        );
    }
    await delay(POLL_MS, undefined, { signal: waiting }).catch(() => undefined);
  }
}

/** Tells a program to end and waits for it; one that does not is killed. Can be repeated. */
async function end(child: Child): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS);
  await child;
  clearTimeout(timer);
}

function beside(programUrl: string, name: string): string {
  const extension = /\.[cm]?[jt]s$/.exec(programUrl)?.[0] ?? ".js";
  return fileURLToPath(new URL(`${name}${extension}`, programUrl));
}
