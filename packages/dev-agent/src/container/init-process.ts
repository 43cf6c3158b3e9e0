import { mkdir, writeFile } from "node:fs/promises";
import type { Spec } from "@peerpods/kata-protocols/oci";
import { oomCounter } from "../cgroup/oom.ts";
import { internal } from "../errors.ts";
import { GuestProcess } from "../process/guest-process.ts";
import { startRuntime, type RuntimeChild } from "../process/runtime-child.ts";
import { runtimeConfig } from "../runtime-spec/config.ts";
import { stringifyExact } from "../runtime-spec/json.ts";
import type { ContainerContext } from "./context.ts";
import { ExitWatch } from "./exit-watch.ts";
import type { ContainerFiles } from "./files.ts";
import { readRuntimeErrors } from "./runtime.ts";
import { createStartGate, type StartGate } from "./start-gate.ts";
import { waitUntilStarted } from "./started.ts";
import { tearDown, unpin, type ContainerRemains } from "./tear-down.ts";

const UNPIN_MS = 10_000;

/** What an init process is made from. */
export interface InitRequest {
  readonly files: ContainerFiles;
  readonly spec: Spec;
  readonly cgroupsPath: string;
  readonly namespaces: ReadonlyMap<string, string>;
}

/** The first process of a container: made, held, started, and watched until its end. */
export class InitProcess {
  readonly process: GuestProcess;
  readonly #parts: InitParts;
  #oomSeen = 0n;

  private constructor(parts: InitParts) {
    const { files, terminal, child, pid } = parts;
    this.#parts = parts;
    this.process = new GuestProcess({ execId: files.id, terminal, pid, child });
    const watch = new ExitWatch(pid, () => this.#countOom());
    child.stdout.onceEnded(() => watch.look());
    child.stderr.onceEnded(() => watch.look());
    // Whatever ended it, the runtime cannot finish before its cgroup is let go.
    void watch.ended.then(() => this.#unpin());
    void child.exited.then(() => watch[Symbol.dispose]());
  }

  /** Makes the container up to, but not including, the run of its command. On failure nothing is left. */
  static async create(
    request: InitRequest,
    context: ContainerContext,
    signal: AbortSignal,
  ): Promise<InitProcess> {
    const { files, spec, cgroupsPath, namespaces } = request;
    await mkdir(files.bundle, { recursive: true, mode: 0o700 });
    const counter = oomCounter(context.hierarchies, cgroupsPath);
    let gate: StartGate | undefined;
    let child: RuntimeChild | undefined;
    try {
      const pinned = counter?.directory;
      gate = await createStartGate({ directory: files.directory, pinned }, context.host, signal);
      const { controllers, groupExists, oomScoreAdj } = context;
      const decisions = { cgroupsPath, namespaces, gate: gate.hook, oomScoreAdj, controllers, groupExists };
      await writeFile(files.config, stringifyExact(runtimeConfig(spec, decisions)), { mode: 0o600 });
      const argv = context.runtime.runCommand(files);
      const terminal = spec.Process?.Terminal ?? false;
      child = await startRuntime({ argv, terminal, scratch: files.scratch }, context.host, signal);
      const pid = await held(gate, { child, logFile: files.logFile }, signal);
      return new InitProcess({ files, context, gate, child, pid, counter, terminal });
    } catch (error) {
      const remains = { files, counter, ...(gate && { gate }), ...(child && { child }) };
      await tearDown(remains, context).catch((err: unknown) =>
        context.host.logger.error({ err, containerId: files.id }, "cannot undo a failed container"),
      );
      throw error;
    }
  }

  /** Runs the command. */
  async start(signal: AbortSignal): Promise<void> {
    const { gate, child, files } = this.#parts;
    await gate.answer("start");
    await waitUntilStarted({ child, pidFile: files.pidFile, logFile: files.logFile }, signal);
  }

  /** Gives up a container that was not started. */
  async abandon(): Promise<void> {
    await this.#parts.gate.answer("stop");
  }

  /** Takes the container away; see tearDown. */
  async remove(): Promise<void> {
    await tearDown(this.#parts, this.#parts.context);
  }

  async #countOom(): Promise<void> {
    const { counter, context, files } = this.#parts;
    try {
      const killed = (await counter?.read()) ?? 0n;
      if (killed > this.#oomSeen) context.onOom(files.id);
      this.#oomSeen = killed;
    } catch (err) {
      context.host.logger.error({ err, containerId: files.id }, "cannot read the OOM counter");
    }
  }

  async #unpin(): Promise<void> {
    const { counter, context } = this.#parts;
    try {
      await unpin(counter, context, AbortSignal.timeout(UNPIN_MS));
    } catch (err) {
      context.host.logger.error({ err, cgroup: counter?.directory }, "cannot let go of the memory cgroup");
    }
  }
}

interface InitParts extends ContainerRemains {
  readonly context: ContainerContext;
  readonly gate: StartGate;
  readonly child: RuntimeChild;
  readonly pid: number;
  readonly terminal: boolean;
}

/** Waits for the gate; a runtime that ends instead has failed, and says why in its log. */
async function held(
  gate: StartGate,
  { child, logFile }: { child: RuntimeChild; logFile: string },
  signal: AbortSignal,
): Promise<number> {
  const stopWaiting = new AbortController();
  const failed = child.exited.then(async (code): Promise<never> => {
    throw internal((await readRuntimeErrors(logFile)) || `the OCI runtime ended with code ${code}`);
  });
  const pid = gate.held(AbortSignal.any([signal, stopWaiting.signal]));
  pid.catch(() => {});
  failed.catch(() => {});
  try {
    return await Promise.race([pid, failed]);
  } finally {
    stopWaiting.abort();
  }
}
