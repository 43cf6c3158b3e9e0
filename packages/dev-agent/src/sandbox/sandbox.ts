import { join } from "node:path";
import type { CreateContainerRequest, CreateSandboxRequest } from "@peerpods/kata-protocols/agent";
import type { Spec } from "@peerpods/kata-protocols/oci";
import { normalizeCgroupsPath } from "../cgroup/cgroups-path.ts";
import { Container } from "../container/container.ts";
import type { ContainerContext } from "../container/context.ts";
import { containerFiles } from "../container/files.ts";
import { alreadyExists, invalidArgument, unimplemented } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { checkId } from "../ids.ts";
import { attachStorage } from "../storage/attach.ts";
import type { AttachedStorage, StorageContext } from "../storage/storage-context.ts";
import { applyDns, removeDirectories, renewDirectories, type SandboxDirectories } from "./directories.ts";
import { containerNamespaces, createSharedNamespaces, type SharedNamespaces } from "./namespaces.ts";

const CLEAN_UP_MS = 30_000;

/** What a sandbox works with. */
export interface SandboxParts {
  readonly host: Host;
  readonly directories: SandboxDirectories;
  readonly storage: StorageContext;
  readonly containers: ContainerContext;
}

/** A pod in this VM: namespaces that its containers share, and the containers. */
export class Sandbox {
  readonly #parts: SandboxParts;
  readonly #namespaces: SharedNamespaces;
  readonly #containers = new Map<string, Container>();
  readonly #storages = new Map<string, readonly AttachedStorage[]>();
  /** Ids of containers that are being made. */
  readonly #pending = new Set<string>();
  /** The first container is the pause container, whose process namespace others may share. */
  #pause: Container | undefined;

  private constructor(parts: SandboxParts, namespaces: SharedNamespaces) {
    this.#parts = parts;
    this.#namespaces = namespaces;
  }

  /** Makes a sandbox, after removing what an earlier one has left in its directories. */
  static async create(
    request: CreateSandboxRequest,
    parts: SandboxParts,
    signal: AbortSignal,
  ): Promise<Sandbox> {
    const { host, directories, storage } = parts;
    if (request.kernelModules.length > 0) throw unimplemented("dev-agent does not load kernel modules");
    await renewDirectories(directories, host, signal);
    const namespaces = await createSharedNamespaces(
      { directory: join(directories.state, "namespaces"), hostname: request.hostname },
      host,
      signal,
    );
    for (const item of request.storages) await attachStorage(item, storage, signal);
    await applyDns(request.dns, directories, { host, signal });
    return new Sandbox(parts, namespaces);
  }

  /** A container by its id; undefined when there is none. */
  container(id: string): Container | undefined {
    return this.#containers.get(id);
  }

  /** Makes a container that is ready to be started. On failure nothing is left of it. */
  async createContainer(request: CreateContainerRequest, signal: AbortSignal): Promise<void> {
    const id = checkId("container id", request.containerId);
    const spec = checkRequest(request);
    if (this.#containers.has(id) || this.#pending.has(id))
      throw alreadyExists(`container "${id}" already exists`);
    this.#pending.add(id);
    try {
      const isPause = this.#containers.size === 0;
      const container = await this.#create(request, spec, signal);
      this.#containers.set(id, container);
      if (isPause) this.#pause = container;
    } finally {
      this.#pending.delete(id);
    }
  }

  async #create(request: CreateContainerRequest, spec: Spec, signal: AbortSignal): Promise<Container> {
    const { containerId: id, sandboxPidns } = request;
    const { containers, directories, storage } = this.#parts;
    await using attached = new AsyncDisposableStack();
    const storages: AttachedStorage[] = [];
    for (const item of request.storages) {
      const made = await attachStorage(item, storage, signal);
      storages.push(made);
      attached.defer(() => made.detach?.(AbortSignal.timeout(CLEAN_UP_MS)));
    }
    const container = await Container.create(
      {
        files: containerFiles(directories.state, id),
        spec: storages.reduce((adapted, storage) => storage.adapt?.(adapted) ?? adapted, spec),
        cgroupsPath: normalizeCgroupsPath(spec.Linux?.CgroupsPath ?? "", id),
        namespaces: containerNamespaces(spec.Linux?.Namespaces ?? [], {
          shared: this.#namespaces,
          sharesPid: sandboxPidns,
          pausePid: this.#pause?.initPid,
        }),
      },
      containers,
      signal,
    );
    this.#storages.set(id, storages);
    attached.move();
    return container;
  }

  /** Ends a container if it still runs, and removes it. */
  async removeContainer(container: Container): Promise<void> {
    await container.remove();
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    for (const storage of this.#storages.get(container.id)?.toReversed() ?? [])
      await storage.detach?.(signal);
    this.#storages.delete(container.id);
    this.#containers.delete(container.id);
  }

  /** Ends all containers and removes everything. What cannot be removed is logged and left to the end of the VM. */
  async destroy(): Promise<void> {
    const { host, directories } = this.#parts;
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    const results = await Promise.allSettled(
      [...this.#containers.values()].map((container) => this.removeContainer(container)),
    );
    results.push(...(await Promise.allSettled([removeDirectories(directories, host, signal)])));
    for (const result of results)
      if (result.status === "rejected")
        host.logger.error({ err: result.reason as unknown }, "cannot remove a part of the sandbox");
  }
}

/** Refuses what this agent would otherwise have to ignore. */
function checkRequest(request: CreateContainerRequest): Spec {
  if (request.OCI === undefined) throw invalidArgument("the request has no OCI specification");
  if (request.devices.length > 0) throw unimplemented("dev-agent does not attach devices");
  if (request.sharedMounts.length > 0)
    throw unimplemented("dev-agent does not share mounts between containers");
  if (request.stringUser !== undefined) throw unimplemented("dev-agent does not look up users by name");
  return request.OCI;
}
