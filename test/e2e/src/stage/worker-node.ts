import { randomInt } from "node:crypto";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import { execa, type Options } from "execa";

const workspaceAdaptor = dirname(
  createRequire(import.meta.url).resolve("@peerpods/cloud-api-adaptor/package.json"),
);

/** A worker node's programs with every path below one directory, and a bridge for pod VMs of their own. */
export interface WorkerNode extends AsyncDisposable {
  readonly hypervisorSocket: string;
  readonly daemonLog: string;
  /** VXLAN id of the first pod. */
  readonly vxlanMinId: number;
  /** Starts the daemon and waits until it is ready. */
  startDaemon(flags?: readonly string[]): Promise<RunningProcess>;
  /** Arguments that run the `peerpods` tool against this node's daemon, for `execa(process.execPath, ...)`. */
  tool(args: readonly string[]): readonly string[];
  /** Runs the tool and returns its result, whatever the exit code. */
  peerpods(
    args: readonly string[],
    options?: Options,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
}

export interface WorkerNodeOptions {
  readonly directory: string;
  /** Where the package `@peerpods/cloud-api-adaptor` is installed. Default: the workspace's. */
  readonly adaptor?: string;
  /** OCI layouts that pod VMs see. */
  readonly imageDirectory: string;
  /** Bridge of the pod VMs, at most 13 characters, and its subnet. */
  readonly bridge: string;
  readonly subnet: string;
  /** More flags of the daemon, at every start. */
  readonly flags?: readonly string[];
}

/** Lays out the node; nothing runs yet. Disposal waits until no sandbox is left, then ends daemon and relay. */
export async function createWorkerNode(options: WorkerNodeOptions): Promise<WorkerNode> {
  const {
    directory,
    adaptor = workspaceAdaptor,
    imageDirectory,
    bridge,
    subnet,
    flags: always = [],
  } = options;
  await mkdir(directory, { recursive: true });
  const at = (name: string): string => join(directory, name);
  const daemonLog = at("daemon.log");
  let daemon: RunningProcess | undefined;
  let daemonEnded = false;
  const vxlanMinId = randomInt(1_000_000, 16_000_000);
  const tool = (args: readonly string[]): readonly string[] => [
    join(adaptor, "dist/peerpods.js"),
    ...["--control-socket", at("control.sock")],
    ...args,
  ];
  const peerpods: WorkerNode["peerpods"] = async (args, extra = {}) => {
    const result = await execa(process.execPath, tool(args), { reject: false, timeout: 120_000, ...extra });
    return { exitCode: result.exitCode ?? -1, stdout: String(result.stdout), stderr: String(result.stderr) };
  };
  const startDaemon: WorkerNode["startDaemon"] = async (flags = []) => {
    daemon = await startProcess(
      process.execPath,
      [
        join(adaptor, "dist/main.js"),
        "local",
        ...["-socket", at("hypervisor.sock"), "-pods-dir", at("pods"), "-state-dir", at("state")],
        ...["-control-socket", at("control.sock"), "-relay-socket", at("relay.sock")],
        ...["-local-bridge", bridge, "-local-subnet", subnet, "-local-image-dir", imageDirectory],
        // Ids of tunnels are the machine's, and another daemon may run on it.
        ...["-vxlan-min-id", String(vxlanMinId)],
        ...always,
        ...flags,
      ],
      { logFile: daemonLog },
    );
    const { ended } = daemon;
    daemonEnded = false;
    void ended.then(() => (daemonEnded = true));
    const early = ended.then(async (code) => {
      throw new Error(
        `the daemon ended with code ${code}: ${(await readFile(daemonLog, "utf8")).slice(-2_000)}`,
      );
    });
    early.catch(() => undefined);
    const ready = until("the daemon is ready", async () => (await peerpods(["ps"])).exitCode === 0, {
      everyMs: 100,
    });
    ready.catch(() => undefined);
    await Promise.race([ready, early]);
    return daemon;
  };
  return {
    hypervisorSocket: at("hypervisor.sock"),
    daemonLog,
    vxlanMinId,
    tool,
    peerpods,
    startDaemon,
    async [Symbol.asyncDispose]() {
      if (daemon === undefined) return;
      try {
        // Pod VMs live on without a daemon, so one has to be there to take them back.
        if (daemonEnded) await startDaemon(["-reap-grace", "1s"]);
        await until(
          "no sandbox is left",
          async () => (await peerpods(["--json", "ps"])).stdout.trim() === "[]",
        );
      } finally {
        await daemon.stop();
        for (const pid of await pidsOf(at("relay.sock"))) process.kill(pid, "SIGTERM");
        await until("the relay has ended", async () => (await pidsOf(at("relay.sock"))).length === 0);
      }
    },
  };
}

/** Processes that have this word on their command line. */
async function pidsOf(word: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes("agent-relay") && command.split("\0").some((part) => part.endsWith(word)))
      found.push(Number(pid));
  }
  return found;
}
