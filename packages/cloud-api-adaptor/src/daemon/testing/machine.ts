import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { Health } from "@peerpods/kata-protocols/health";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { dialTtrpc } from "@peerpods/ttrpc";
import type { TtrpcClientConnection } from "@peerpods/ttrpc";
import { execa } from "execa";

const program = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** VNIs of this process; daemons that follow each other take them in blocks of 64. */
const firstVni = 2_000_000 + (process.pid % 10_000) * 1000;
const isOurs = (vni: number) => vni >= firstVni && vni < firstVni + 1000;

/** One daemon process and what it has said. */
export interface DaemonProcess {
  readonly child: ChildProcess;
  output: string;
  /** Resolves when it has said this; rejects when it ends without. */
  says(text: string): Promise<void>;
  /** Sends a signal and waits for the end; returns the exit status or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/**
 * A worker node in small on this machine: directories, a pod network namespace as a CNI plug-in leaves it, and daemons
 * with the local provider. Everything has names of its own and is removed when it is disposed.
 */
export class Machine implements AsyncDisposable {
  readonly dir: string;
  readonly netns: string;
  readonly #name: string;
  readonly #daemons: DaemonProcess[] = [];

  static async create(subnet: number): Promise<Machine> {
    const name = `pp${process.pid.toString(36)}${subnet.toString(36)}`;
    const machine = new Machine(name, await mkdtemp(join(tmpdir(), "ppd-")), subnet);
    try {
      await machine.#makePodNetwork();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  readonly #subnet: number;

  private constructor(name: string, dir: string, subnet: number) {
    this.#name = name;
    this.#subnet = subnet;
    this.dir = dir;
    this.netns = `${name}pod`;
  }

  /** Starts a daemon and waits until it is ready. */
  async daemon(...flags: readonly string[]): Promise<DaemonProcess> {
    const daemon = this.startDaemon(...flags);
    await daemon.says('"msg":"ready"');
    return daemon;
  }

  startDaemon(...flags: readonly string[]): DaemonProcess {
    const child = spawn(
      process.execPath,
      [
        "--conditions=@peerpods/source",
        program,
        "local",
        `-state-dir=${join(this.dir, "state")}`,
        `-socket=${join(this.dir, "hypervisor.sock")}`,
        `-pods-dir=${join(this.dir, "pods")}`,
        `-control-socket=${join(this.dir, "control.sock")}`,
        `-relay-socket=${join(this.dir, "relay.sock")}`,
        `-local-bridge=${this.#name}br`,
        `-local-subnet=10.213.${this.#subnet}.0/24`,
        `-local-cache-dir=${join(tmpdir(), "peerpods-local-cache")}`,
        `-vxlan-min-id=${firstVni}`,
        `-vxlan-port=${20_000 + this.#subnet}`,
        ...flags,
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NODE_OPTIONS: "" } },
    );
    const daemon: DaemonProcess = {
      child,
      output: "",
      says: async (text) => {
        while (!daemon.output.includes(text)) {
          if (child.exitCode !== null || child.signalCode !== null) {
            throw new Error(`daemon ended before it said ${text}:\n${daemon.output}`);
          }
          await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), once(child, "exit")]);
        }
      },
      end: async (signal) => {
        if (child.exitCode === null && child.signalCode === null) {
          child.kill(signal);
          await once(child, "exit");
        }
        return child.exitCode ?? child.signalCode ?? "";
      },
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        daemon.output += text;
      });
    }
    this.#daemons.push(daemon);
    return daemon;
  }

  /** One call as the shim makes it: a connection of its own. */
  async hypervisor<T>(act: (client: Client<typeof Hypervisor>) => Promise<T>): Promise<T> {
    const path = join(this.dir, "hypervisor.sock");
    await using connection = await dialTtrpc({ path }, { signal: AbortSignal.timeout(5_000) });
    return await act(createClient(Hypervisor, connection.transport));
  }

  async createVM(id: string): Promise<void> {
    await this.hypervisor((client) =>
      client.createVM({
        id,
        networkNamespacePath: `/run/netns/${this.netns}`,
        annotations: {
          "io.kubernetes.cri.sandbox-name": "web",
          "io.kubernetes.cri.sandbox-namespace": "default",
          "io.katacontainers.config.hypervisor.default_memory": "256",
        },
      }),
    );
  }

  async startVM(id: string): Promise<void> {
    await this.hypervisor((client) => client.startVM({ id }, { timeoutMs: 60_000 }));
  }

  /** The shim's one connection to the agent. */
  async agent(id: string): Promise<TtrpcClientConnection> {
    const path = join(this.dir, "pods", id, "agent.ttrpc");
    return await dialTtrpc({ path }, { signal: AbortSignal.timeout(5_000) });
  }

  /** Process id of the agent relay, or undefined when there is none. */
  async relayPid(): Promise<number | undefined> {
    const socket = join(this.dir, "relay.sock");
    for (const entry of await readdir("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      const words = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
      if (words.includes("agent-relay") && words.split("\0").includes(socket)) return Number(entry);
    }
    return undefined;
  }

  /** Whatever of pods is on this machine under this machine's names. Empty when nothing is. */
  async leftovers(): Promise<readonly string[]> {
    const [links, rules] = await Promise.all([
      execa("ip", ["-json", "link", "show"]),
      execa("nft", ["list", "ruleset"]),
    ]);
    const bridge = (JSON.parse(links.stdout) as { ifname: string }[]).filter(
      ({ ifname }) => ifname === `${this.#name}br`,
    );
    const inPod = await execa("ip", ["-json", "-n", this.netns, "link", "show", "type", "vxlan"]);
    return [
      ...bridge.map(({ ifname }) => `link ${ifname}`),
      ...(inPod.stdout.includes("vxlan") ? ["tunnel in the pod"] : []),
      ...[...rules.stdout.matchAll(/vni (\d+)/g)]
        .map(([, vni]) => Number(vni))
        .filter(isOurs)
        .map((vni) => `rule of VNI ${vni}`),
      ...(await this.#filesIn("pods")),
      ...(await this.#filesIn("state/journal/sandboxes")),
      ...(await this.#filesIn("state/providers/local/instances")),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.end("SIGTERM")));
    await this.#removePods();
    const pid = await this.relayPid();
    if (pid !== undefined) {
      process.kill(pid, "SIGTERM");
      while ((await this.relayPid()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await execa("ip", ["link", "del", `${this.#name}v`], { reject: false });
    await execa("ip", ["netns", "del", this.netns], { reject: false });
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A pod VM outlives its daemon, and without its records nobody could remove it. */
  async #removePods(): Promise<void> {
    const entries = await this.#filesIn("state/journal/sandboxes");
    if (entries.length === 0) return;
    const daemon = await this.daemon();
    for (const entry of entries) {
      const id = basename(entry, ".json");
      await this.hypervisor((client) => client.stopVM({ id })).catch(() => undefined);
    }
    const deadline = Date.now() + 60_000;
    while ((await this.leftovers()).length > 0) {
      if (Date.now() > deadline) throw new Error(`pods cannot be removed:\n${daemon.output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await daemon.end("SIGTERM");
  }

  async #filesIn(directory: string): Promise<readonly string[]> {
    const names = await readdir(join(this.dir, directory)).catch(() => []);
    return names.map((name) => `${directory}/${name}`);
  }

  async #makePodNetwork(): Promise<void> {
    const [host, pod] = [`10.212.${this.#subnet}.1`, `10.212.${this.#subnet}.2`];
    await execa("ip", ["netns", "add", this.netns]);
    const lines = [
      `link add ${this.#name}v type veth peer name eth0 netns ${this.netns}`,
      `addr add ${host}/24 dev ${this.#name}v`,
      `link set ${this.#name}v up`,
    ];
    await execa("ip", ["-batch", "-"], { input: lines.join("\n") });
    const inside = [
      "link set lo up",
      `addr add ${pod}/24 dev eth0`,
      "link set eth0 up",
      `route add default via ${host}`,
    ];
    await execa("ip", ["-n", this.netns, "-batch", "-"], { input: inside.join("\n") });
  }
}

/** Whether the agent answers over this connection. */
export async function agentAnswers(connection: TtrpcClientConnection): Promise<boolean> {
  const { status } = await createClient(Health, connection.transport).check({}, { timeoutMs: 30_000 });
  return status === 1;
}

/** Why these tests cannot run here, or undefined when they can. */
export async function missingHere(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root: makes namespaces, links and cgroups";
  for (const bundle of [
    "@peerpods/podvm/guest/agent-protocol-forwarder.mjs",
    "@peerpods/podvm/guest/process-user-data.mjs",
    "@peerpods/dev-agent/guest/dev-agent.mjs",
  ]) {
    const path = fileURLToPath(new URL(`../../../../${guestFile(bundle)}`, import.meta.url));
    if ((await readFile(path).catch(() => undefined)) === undefined)
      return `needs ${bundle}; run "pnpm build"`;
  }
  return undefined;
}

function guestFile(specifier: string): string {
  return specifier.replace("@peerpods/", "").replace("/guest/", "/bundle/");
}
