import { readFile } from "node:fs/promises";
import type { CreateSandboxRequest } from "@peerpods/kata-protocols/agent";
import type { Container } from "./container/container.ts";
import { alreadyExists, failedPrecondition, unknownContainer } from "./errors.ts";
import { OomEvents } from "./sandbox/oom-events.ts";
import { Sandbox, type SandboxParts } from "./sandbox/sandbox.ts";

/** The agent: at most one sandbox, and the end of everything after it. */
export class Agent {
  readonly oomEvents = new OomEvents();
  readonly #parts: SandboxParts;
  readonly #finished = Promise.withResolvers<void>();
  #sandbox: Promise<Sandbox> | undefined;

  /** @param makeParts gets what is to be told of OOM kills. */
  constructor(makeParts: (onOom: (containerId: string) => void) => SandboxParts) {
    this.#parts = makeParts((containerId) => this.oomEvents.push(containerId));
  }

  /** Fulfilled when the sandbox was destroyed; the program then ends. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  async createSandbox(request: CreateSandboxRequest, signal: AbortSignal): Promise<void> {
    if (this.#sandbox !== undefined) throw alreadyExists("this VM already has a sandbox");
    this.#sandbox = Sandbox.create(request, this.#parts, signal);
    try {
      await this.#sandbox;
    } catch (error) {
      this.#sandbox = undefined;
      throw error;
    }
  }

  /** @throws ConnectError FAILED_PRECONDITION before CreateSandbox. */
  async sandbox(): Promise<Sandbox> {
    if (this.#sandbox === undefined)
      throw failedPrecondition("there is no sandbox: CreateSandbox comes first");
    return this.#sandbox;
  }

  /** @throws ConnectError INVALID_ARGUMENT when there is none, or what the call has instead. */
  async container(id: string, otherwise: (id: string) => Error = unknownContainer): Promise<Container> {
    const container = (await this.sandbox()).container(id);
    if (container === undefined) throw otherwise(id);
    return container;
  }

  /** Ends all containers; from then on GetOOMEvent fails. Can be repeated. */
  async destroySandbox(): Promise<void> {
    this.oomEvents.close();
    const sandbox = await this.#sandbox?.catch(() => undefined);
    await sandbox?.destroy();
    this.#finished.resolve();
  }
}

/** Bytes in a block of hot-pluggable memory; 0 where the VM has none. */
export async function memoryBlockBytes(): Promise<bigint> {
  const text = await readFile("/sys/devices/system/memory/block_size_bytes", "utf8").catch(() => "0");
  return BigInt(`0x${text.trim()}`);
}
