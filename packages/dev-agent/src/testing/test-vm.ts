import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type Client } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import { dialTtrpc } from "@peerpods/ttrpc";
import { cgroupRoot, machineCgroupVersion, makeTestCgroups } from "./test-cgroups.ts";
import { until } from "./until.ts";

/** Why the agent cannot be run here; undefined when it can. */
export function missingForVM(
  programs: readonly string[] = ["crun", "umoci", "busybox", "unshare"],
): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const path = (process.env["PATH"] ?? "").split(":");
  const missing = programs.filter(
    (program) => !path.some((directory) => existsSync(join(directory, program))),
  );
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")}`;
}

/** A mount, PID and cgroup namespace with a dev-agent in it, its own /run and its own cgroups. */
export interface TestVM extends AsyncDisposable {
  readonly agent: Client<typeof AgentService>;
  readonly health: Client<typeof Health>;
  /** Another connection to the agent; only before CreateSandbox, which removes the socket. */
  connect(): Promise<Client<typeof AgentService> & AsyncDisposable>;
  /** A path of the VM as this process reaches it. */
  path(inside: string): string;
  /** Runs a shell command in the VM's namespaces and returns its standard output. */
  shell(command: string): Promise<string>;
  /** Fulfilled with the exit code of the agent. */
  readonly ended: Promise<number>;
  /** What the agent has logged so far. */
  log(): string;
  /** A directory of this machine for images and the like; the VM sees it at the same path. */
  readonly directory: string;
}

const agentProgram = fileURLToPath(new URL("../dev-agent.ts", import.meta.url));
const socket = "/run/kata-containers/agent.sock";

/** PID 1: own mounts, then the agent. $AGENT is its command line. */
const init = `
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
if [ -n "$UNIFIED" ]; then
  mount -t cgroup2 cgroup2 ${cgroupRoot}
else
  mount -t tmpfs tmpfs ${cgroupRoot}
  for controller in $CONTROLLERS; do
    mkdir ${cgroupRoot}/$controller
    case $controller in systemd) options=none,name=systemd ;; *) options=$controller ;; esac
    mount -t cgroup -o $options cgroup ${cgroupRoot}/$controller
  done
fi
exec 3<&0 </dev/null
"$@" 3<&- &
agent=$!
# The VM ends with the process that made it, also when that one had no time to say so.
{ cat <&3 >/dev/null; kill -9 $agent; } &
set +e
wait $agent
`;

/**
 * Starts a test VM; `flags` go to the agent.
 * @param version of the cgroups in the VM; default: what this machine has.
 */
export async function startTestVM(
  flags: readonly string[] = [],
  version: 1 | 2 = machineCgroupVersion(),
): Promise<TestVM> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dev-agent-"));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const cgroups = undo.use(await makeTestCgroups(`dev-agent-test-${process.pid}-${Date.now()}`, version));

  const agentCommand = [
    process.execPath,
    "--conditions=@peerpods/source",
    agentProgram,
    "-log-level",
    "debug",
    "-image-store",
    join(directory, "store", "images"),
    ...flags,
  ];
  const enter = cgroups.directories.map((cgroup) => `echo $$ >${cgroup}/cgroup.procs`).join("; ");
  const isolate = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];
  const child = spawn(
    "unshare",
    // PID 1 goes into its cgroups before they become the top of what it sees; the parent stays outside.
    [
      ...isolate,
      "sh",
      "-c",
      `${enter}; exec unshare --cgroup sh -c "$INIT" init "$@"`,
      "vm",
      ...agentCommand,
    ],
    {
      stdio: ["pipe", "ignore", "pipe"],
      env: {
        ...process.env,
        INIT: init,
        CONTROLLERS: cgroups.controllers.join(" "),
        UNIFIED: version === 2 ? "1" : "",
      },
    },
  );
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(child, "exit").then(([code]) => (code as number | null) ?? -1);
  undo.defer(() => stop(child, ended));

  const path = (inside: string) => `/proc/${String(child.pid)}/root${inside}`;
  await until(
    () => existsSync(path(socket)),
    () => `the agent's socket; it wrote: ${log}`,
    child,
  );
  const dial = () => dialTtrpc({ path: path(socket) });
  const connection = undo.use(await dial());
  const parts = undo.move();
  return {
    agent: createClient(AgentService, connection.transport),
    health: createClient(Health, connection.transport),
    connect: async () => {
      const another = await dial();
      return Object.assign(createClient(AgentService, another.transport), {
        [Symbol.asyncDispose]: () => another[Symbol.asyncDispose](),
      });
    },
    path,
    shell: (command) => inVM(child, command),
    ended,
    log: () => log,
    directory,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}

async function inVM(vm: ChildProcess, command: string): Promise<string> {
  // The process that made the namespaces is not itself in the PID namespace; its only child is.
  const init = (await readFile(`/proc/${String(vm.pid)}/task/${String(vm.pid)}/children`, "utf8")).trim();
  const args = ["-t", init, "--mount", "--pid", "--ipc", "--uts", "sh", "-c", command];
  const child = spawn("nsenter", args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`${command}: exit code ${code}`);
  return output;
}
