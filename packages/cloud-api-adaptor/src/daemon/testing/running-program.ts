import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { CONTRACT_VERSION, createProviderRegistry } from "@peerpods/cloud-providers";
import type { CloudProvider } from "@peerpods/cloud-providers";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { dialTtrpc } from "@peerpods/ttrpc";
import { netnsPath } from "../../sandbox/testing/world.ts";
import type { World } from "../../sandbox/testing/world.ts";
import { runProgram } from "../program.ts";
import type { ProgramParts } from "../program.ts";

/** The daemon's program under way in this process, in a world of fakes, with all it says. */
export class RunningProgram {
  readonly signals = new EventEmitter();
  readonly exits: number[] = [];
  output = "";
  readonly exitCode: Promise<number>;

  constructor(world: World, argv: readonly string[], change: Partial<ProgramParts> = {}) {
    const hear = (text: string) => {
      this.output += text;
      this.signals.emit("output");
    };
    this.exitCode = runProgram({
      argv,
      env: {},
      stdout: hear,
      stderr: hear,
      signals: this.signals,
      exitNow: (code) => this.exits.push(code),
      registry: createProviderRegistry([fakeProviderOf(world)]),
      importPackage: () =>
        Promise.reject(
          Object.assign(new Error("Cannot find package '@peerpods/provider-nope'"), {
            code: "ERR_MODULE_NOT_FOUND",
          }),
        ),
      ensureRelay: async () => world.relay,
      network: () => world.network,
      ...change,
    });
  }

  /** Resolves when the program has said this, rejects when it ends without. */
  async says(text: string): Promise<void> {
    const ended = this.exitCode.then((code) => {
      if (!this.output.includes(text))
        throw new Error(`ended with ${code} before it said "${text}": ${this.output}`);
    });
    while (!this.output.includes(text)) await Promise.race([once(this.signals, "output"), ended]);
  }

  async stop(): Promise<number> {
    this.signals.emit("SIGTERM", "SIGTERM");
    return await this.exitCode;
  }
}

/** A provider named `fake` whose cloud is the world's. */
export const fakeProviderOf = (world: World, change: Partial<CloudProvider> = {}): CloudProvider => ({
  name: "fake",
  contractVersion: CONTRACT_VERSION,
  summary: "for tests",
  options: [
    { flag: "fake-key", env: "FAKE_KEY", type: "string", secret: true, help: "Secret of the fake cloud" },
    { flag: "fake-zone", env: "FAKE_ZONE", type: "string", oneOf: ["z1", "z2"], default: "z1", help: "Zone" },
    { flag: "fake-count", env: "FAKE_COUNT", type: "int", min: 1, max: 9, default: 1, help: "Count" },
  ],
  newProvider: async () => world.cloud,
  ...change,
});

/** A command line with every path below `dir`; daemons of another `name` share only socket and pods. */
export const flagsIn = (dir: string, name = "d1"): readonly string[] => [
  "fake",
  `-state-dir=${join(dir, name, "state")}`,
  `-socket=${join(dir, "hypervisor.sock")}`,
  `-pods-dir=${join(dir, "pods")}`,
  `-control-socket=${join(dir, name, "control.sock")}`,
  `-relay-socket=${join(dir, name, "relay.sock")}`,
];

/** Calls as the kata shim does: over a connection of its own. */
export async function callHypervisor<T>(
  dir: string,
  act: (client: ReturnType<typeof createClient<typeof Hypervisor>>) => Promise<T>,
): Promise<T> {
  await using connection = await dialTtrpc(
    { path: join(dir, "hypervisor.sock") },
    { signal: AbortSignal.timeout(5_000) },
  );
  return await act(createClient(Hypervisor, connection.transport));
}

export const createVMRequest = (id: string, { name = "web", namespace = "default" } = {}) => ({
  id,
  networkNamespacePath: netnsPath,
  annotations: {
    "io.kubernetes.cri.sandbox-name": name,
    "io.kubernetes.cri.sandbox-namespace": namespace,
  },
});
