import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock, type Clock } from "@peerpods/cloud-providers";
import type { ConformanceTarget } from "@peerpods/cloud-providers/conformance";
import { runCommand } from "../host/run.ts";
import { readRecord } from "../instance/record.ts";
import { createFaultyRun } from "./faulty-run.ts";
import type { HostTraces } from "./host-traces.ts";
import { askVm, openTestBed, type TestBed } from "./test-bed.ts";

/** This machine as a target of the conformance kit. Disposal deletes every instance. */
export interface LocalTarget extends AsyncDisposable {
  readonly target: ConformanceTarget;
  readonly bed: TestBed;
}

/** @param options.clock on which calls end; default: the machine's. Pod VMs always boot in the machine's time. */
export async function createLocalTarget({
  clock = systemClock,
}: { readonly clock?: Clock } = {}): Promise<LocalTarget> {
  const bed = await openTestBed();
  const { run, faults } = createFaultyRun(runCommand);
  const mountInfo = () => readFile("/proc/self/mountinfo", "utf8");
  const connect = (config: Readonly<Record<string, unknown>> = {}) => bed.open(config, { run, mountInfo });
  const recordOf = async (id: string) => {
    const record = await readRecord(join(bed.stateDirectory, "instances", id));
    if (record?.vm === undefined) throw new Error(`there is no record of a running ${id}`);
    return { ...record, vm: record.vm };
  };
  const target: ConformanceTarget = {
    name: "local",
    abilities: ["inventory", "consoleLogs"],
    connect: () => connect(),
    clock,
    // A busy machine: what is undone has to wait for the processes of the VM.
    undoMs: 30_000,
    parallel: 3,
    census: async () => namesIn(await bed.traces()),
    faults,
    async userDataOf(id) {
      const { vm } = await recordOf(id);
      // base64: what asks the VM trims what it is told.
      const text = await askVm(vm.address, "base64 /media/cidata/user-data");
      return Buffer.from(text, "base64").toString("utf8");
    },
    maxUserDataBytes: 256 * 1024,
    tagsOf: async (id) => ({ [id]: (await recordOf(id)).tags }),
    async vanish(id) {
      const { vm } = await recordOf(id);
      process.kill(vm.init.pid, "SIGKILL");
    },
    badSpecs: {
      "a machine type": { instanceType: "no-such-type" },
      "an image": { image: "no-such-image" },
      "a GPU": { gpus: 1 },
      "another architecture": { arch: process.arch === "s390x" ? "amd64" : "s390x" },
    },
    badConnections: {
      "a directory without guest programs": async () => {
        const empty = join(bed.stateDirectory, "..", "no-guest");
        await mkdir(empty, { recursive: true });
        return await connect({ "local-guest-dir": empty });
      },
      "an agent that does not exist": () => connect({ "local-agent": "/nonexistent/kata-agent" }),
      "a bridge of somebody else": () => connect({ "local-bridge": "lo" }),
    },
    missing: {
      capacity: "the provider does not offer placements",
      volumes: "the provider does not offer volumes",
      imageFile: "the provider does not offer images",
    },
    notOffered: { apiCalls: "there is no cloud to call", secrets: "the provider has no secret options" },
    environment: {
      against: "this machine",
      real: "namespaces, cgroups, bridge, processes: all of it",
      stoodIn:
        "the guest programs, by short ones, in the conformance run; `peerpods try` and the demo use the real ones",
    },
  };
  return { target, bed, [Symbol.asyncDispose]: async () => await bed[Symbol.asyncDispose]() };
}

/** How many things a pod VM has depends on how far its guest has booted, so each kind of an instance counts once. */
function namesIn(traces: HostTraces): readonly string[] {
  const names = Object.entries(traces).flatMap(([kind, found]: [string, readonly string[]]) =>
    found.map((text) => `${kind} of ${ownerIn(text)}`),
  );
  return [...new Set(names)].toSorted();
}

/** The instance in a path or name, where there is one in it. A process' line begins with its id, which changes. */
function ownerIn(text: string): string {
  const [id] = /local-[0-9a-f]{16}/.exec(text) ?? [];
  if (id !== undefined) return id;
  return /^\d+ /.test(text) ? "this provider" : text;
}
