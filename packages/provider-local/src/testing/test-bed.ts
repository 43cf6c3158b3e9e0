import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import {
  loadOptions,
  silentLogger,
  type CallContext,
  type CreateInstanceRequest,
  type Inventory,
  type OptionValues,
  type Provider,
} from "@peerpods/cloud-providers";
import { localOptions } from "../options.ts";
import { newLocalProvider, type HostEffects } from "../provider.ts";
import { hostTraces, type HostTraces } from "./host-traces.ts";
import { standInGuest } from "./stand-in-guest.ts";

/** A state directory and network of a test's own. Disposal deletes every instance in it. */
export interface TestBed extends AsyncDisposable {
  readonly stateDirectory: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly provider: Provider & Inventory;
  /** Another provider on the same state, as after a restart of the daemon. */
  open(config?: Readonly<Record<string, unknown>>, effects?: HostEffects): Promise<Provider & Inventory>;
  traces(): Promise<HostTraces>;
}

/** The cache is shared by all tests and runs, as it is by daemons. */
const cacheDirectory = join(tmpdir(), "peerpods-test-cache");

export async function openTestBed(config: Readonly<Record<string, unknown>> = {}): Promise<TestBed> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "pplocal-")));
  const stateDirectory = join(directory, "state");
  const guest = await standInGuest(cacheDirectory);
  await mkdir(stateDirectory, { mode: 0o700 });
  const values: Record<string, unknown> = { ...testConfig(), "local-guest-dir": guest, ...config };
  const bridge = values["local-bridge"] as string;
  const open: TestBed["open"] = async (changes = {}, effects) =>
    await newLocalProvider(
      { stateDir: stateDirectory, env: {}, logger: silentLogger, config: { ...values, ...changes } },
      effects,
    );
  const provider = await open();
  return {
    stateDirectory,
    config: values,
    provider,
    open,
    traces: () => hostTraces(stateDirectory, bridge),
    async [Symbol.asyncDispose]() {
      for (const { id } of await provider.listInstances({}, testCall()))
        await provider.deleteInstance({ instanceId: id, tags: {} }, testCall());
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** All options as the command line gives them, with a bridge and a network that no other run has. */
function testConfig(): OptionValues {
  const [a, b] = [Math.floor(Math.random() * 256), Math.floor(Math.random() * 256)];
  const flags = {
    "local-bridge": `plt${a.toString(16)}x${b.toString(16)}`,
    "local-subnet": `10.${200 + (a % 50)}.${b}.0/24`,
    "local-mtu": "1400",
    "local-vcpus": "1",
    "local-memory": "300",
    "local-pids-limit": "200",
    "local-cache-dir": cacheDirectory,
  };
  const argv = Object.entries(flags).map(([flag, value]) => `-${flag}=${value}`);
  const loaded = loadOptions(localOptions, { argv, env: {} });
  if ("help" in loaded) throw new Error("unreachable: no help was asked for");
  return loaded.values;
}

export function testCall(changes: Partial<CallContext> = {}): CallContext {
  return { signal: AbortSignal.timeout(60_000), logger: silentLogger, ...changes };
}

export function testRequest(
  token: string,
  changes: Partial<CreateInstanceRequest> = {},
): CreateInstanceRequest {
  return {
    token,
    name: `podvm-test-${token}`,
    sandboxId: "0123",
    podName: "pod",
    podNamespace: "default",
    userData: "#cloud-config\n",
    tags: { test: "yes", token },
    spec: {
      instanceType: "",
      vcpus: 0,
      memoryMiB: 0,
      gpus: 0,
      arch: "",
      image: "",
      multiNic: false,
      volumes: [],
    },
    ...changes,
  };
}

/** Runs a shell command in a VM with the stand-in guest, waiting for its forwarder as the worker does. */
export async function askVm(address: string, command: string): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const socket = connect(15_150, address);
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(2000) });
      socket.write(`${command}\n`);
      const { status, stdout, stderr } = JSON.parse(await text(socket)) as Record<string, string>;
      if (Number(status) !== 0) throw new Error(`${command}: code ${status}: ${stderr}`);
      return String(stdout).trim();
    } catch (error) {
      const refused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
      if (!refused || Date.now() > deadline) throw error;
      await delay(10);
    } finally {
      socket.destroy();
    }
  }
}

/** Output of a VM's PID 1. */
export async function consoleOf(bed: TestBed, id: string): Promise<string> {
  return await readFile(join(bed.stateDirectory, "instances", id, "console.log"), "utf8");
}
