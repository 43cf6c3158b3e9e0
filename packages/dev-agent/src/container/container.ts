import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CgroupStatsSchema } from "@peerpods/kata-protocols/agent";
import type { LinuxResources, Process, Spec } from "@peerpods/kata-protocols/oci";
import { controllerDirectory } from "../cgroup/hierarchies.ts";
import { readStatsV1 } from "../cgroup/stats-v1.ts";
import { readStatsV2 } from "../cgroup/stats-v2.ts";
import { alreadyExists, internal, invalidExecId } from "../errors.ts";
import { orAborted } from "../or-aborted.ts";
import type { GuestProcess } from "../process/guest-process.ts";
import { stringifyExact } from "../runtime-spec/json.ts";
import { updatedResources } from "../runtime-spec/resources.ts";
import type { ContainerContext } from "./context.ts";
import { startExec } from "./exec.ts";
import { InitProcess, type InitRequest } from "./init-process.ts";
import { checkSignal, effectiveInitSignal, killMembers, signalProcess } from "./signals.ts";

const RESUME_MS = 10_000;

/** A container of the sandbox and its processes. */
export class Container {
  readonly id: string;
  readonly #request: InitRequest;
  readonly #context: ContainerContext;
  readonly #init: InitProcess;
  /** Processes whose exit nobody has fetched yet, by exec id; the init process has the container's id. */
  readonly #processes = new Map<string, GuestProcess>();
  /** Exec ids of processes that are being started. */
  readonly #pending = new Set<string>();
  #state: "created" | "started" = "created";
  #paused = false;

  private constructor(request: InitRequest, context: ContainerContext, init: InitProcess) {
    this.id = request.files.id;
    this.#request = request;
    this.#context = context;
    this.#init = init;
    this.#processes.set(this.id, init.process);
  }

  /** Makes a container that is ready to be started. On failure nothing is left of it. */
  static async create(
    request: InitRequest,
    context: ContainerContext,
    signal: AbortSignal,
  ): Promise<Container> {
    return new Container(request, context, await InitProcess.create(request, context, signal));
  }

  get spec(): Spec {
    return this.#request.spec;
  }

  /** Number of the init process; undefined when it has ended. */
  get initPid(): number | undefined {
    return this.#init.process.over ? undefined : this.#init.process.pid;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#state !== "created") throw internal(`container "${this.id}" was already started`);
    this.#state = "started";
    await this.#init.start(signal);
  }

  async exec(execId: string, process: Process | undefined, signal: AbortSignal): Promise<void> {
    if (this.#state !== "started" || this.#init.process.over)
      throw internal(`container "${this.id}" is not running`);
    if (this.#processes.has(execId) || this.#pending.has(execId))
      throw alreadyExists(`exec "${execId}" already exists`);
    const { files, spec } = this.#request;
    const request = { files, execId, process, init: spec.Process };
    this.#pending.add(execId);
    try {
      this.#processes.set(execId, await startExec(request, this.#context, signal));
    } finally {
      this.#pending.delete(execId);
    }
  }

  /**
   * A process by its exec id, where "" means the init process.
   * @throws ConnectError NOT_FOUND when there is none, or when its exit was already fetched.
   */
  process(execId: string): GuestProcess {
    const process = this.#processes.get(execId === "" ? this.id : execId);
    if (process === undefined) throw invalidExecId();
    return process;
  }

  /** Waits for a process to end and forgets it: the next to ask is told that it does not exist. */
  async wait(execId: string, signal: AbortSignal): Promise<number> {
    const process = this.process(execId);
    const status = await orAborted(process.exited, signal);
    this.#processes.delete(process.execId);
    process.release();
    return status;
  }

  /** Signals one process; signal 9 without an exec id kills all that run in the container. */
  async signal(execId: string, signal: number): Promise<void> {
    checkSignal(signal);
    if (execId === "" && signal === constants.signals.SIGKILL) return this.kill();
    const process = this.process(execId);
    const isInit = process.execId === this.id;
    signalProcess(process, isInit ? await effectiveInitSignal(process.pid, signal) : signal);
  }

  /** Kills every process of the container. Can be repeated. */
  async kill(): Promise<void> {
    if (this.#state === "created") await this.#init.abandon();
    // What is frozen does not die.
    if (this.#paused && !this.#init.process.over) await this.resume(AbortSignal.timeout(RESUME_MS));
    const directory = this.#cgroup("memory") ?? this.#cgroup("pids");
    if (directory !== undefined) await killMembers(directory);
    if (!this.#init.process.over) signalProcess(this.#init.process, constants.signals.SIGKILL);
  }

  async stats(): Promise<MessageInitShape<typeof CgroupStatsSchema>> {
    const { hierarchies } = this.#context;
    const { cgroupsPath } = this.#request;
    return hierarchies.version === 1
      ? readStatsV1(hierarchies, cgroupsPath)
      : readStatsV2(join(hierarchies.root, cgroupsPath));
  }

  async update(resources: LinuxResources | undefined, signal: AbortSignal): Promise<void> {
    const file = join(this.#request.files.directory, "resources.json");
    await writeFile(file, stringifyExact(updatedResources(resources, this.#context.controllers)), {
      mode: 0o600,
    });
    await this.#context.runtime.update(this.id, file, signal);
  }

  async pause(signal: AbortSignal): Promise<void> {
    await this.#context.runtime.pause(this.id, signal);
    this.#paused = true;
  }

  async resume(signal: AbortSignal): Promise<void> {
    await this.#context.runtime.resume(this.id, signal);
    this.#paused = false;
  }

  /** Ends the container if it still runs and takes everything of it away. */
  async remove(): Promise<void> {
    await this.kill();
    await this.#init.remove();
    for (const process of this.#processes.values()) process.release();
    this.#processes.clear();
  }

  #cgroup(controller: string): string | undefined {
    return controllerDirectory(this.#context.hierarchies, controller, this.#request.cgroupsPath);
  }
}
