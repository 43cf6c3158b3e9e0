import { isDeepStrictEqual } from "node:util";
import { matchesTags } from "../../identity/instance-tags.ts";
import type { InstanceType } from "../../instance-types/select.ts";
import { FakeCloudError } from "./cloud-error.ts";
import type {
  CloudAddress,
  CloudDisk,
  CloudInstance,
  CloudInterface,
  CloudTags,
  CloudVolumeState,
  ResourceCount,
  ResourceKind,
  RunInstanceRequest,
} from "./model.ts";

/** What an account holds at first and may hold at most. */
export interface AccountSetup {
  readonly now: () => number;
  readonly types: readonly InstanceType[];
  readonly zones: readonly string[];
  readonly images: readonly string[];
  readonly volumes: readonly string[];
  readonly quotas: Partial<ResourceCount>;
  /** Time from `runInstance` to `running`. */
  readonly bootMs: number;
  readonly maxUserDataBytes: number;
}

/**
 * The cloud's own state and its rules, without time, network or faults: each method is one act of the API, done whole
 * or refused with a {@link FakeCloudError}.
 */
export class Account {
  readonly setup: AccountSetup;
  readonly images: Set<string>;
  readonly volumes: Map<string, CloudVolumeState>;
  /** `type/zone` pairs without machines. */
  readonly exhausted = new Set<string>();
  readonly #instances = new Map<string, CloudInstance>();
  readonly #tokens = new Map<string, string>();
  readonly #interfaces = new Map<string, CloudInterface>();
  readonly #disks = new Map<string, CloudDisk>();
  readonly #addresses = new Map<string, CloudAddress>();
  #serial = 0;

  constructor(setup: AccountSetup) {
    this.setup = setup;
    this.images = new Set(setup.images);
    this.volumes = new Map(setup.volumes.map((id) => [id, { id }]));
  }

  count(): ResourceCount {
    return {
      instances: this.instances({}).filter(({ state }) => state !== "terminated").length,
      interfaces: this.#interfaces.size,
      disks: this.#disks.size,
      addresses: this.#addresses.size,
    };
  }

  runInstance(request: RunInstanceRequest): CloudInstance {
    const known = this.#instances.get(this.#tokens.get(request.token) ?? "");
    if (known !== undefined) {
      if (!isDeepStrictEqual(known.request, request))
        throw new FakeCloudError("IdempotentParameterMismatch", `token ${request.token}: another request`);
      return this.#view(known);
    }
    this.#checkRequest(request);
    for (const kind of ["instances", "interfaces", "disks"] as const) this.#checkQuota(kind);
    const id = this.#id("i");
    this.#disks.set(id, { id: this.#id("disk"), tags: request.tags, instanceId: id });
    const nic = this.#newInterface(request.token, request.tags);
    this.#interfaces.set(nic.id, { ...nic, instanceId: id, index: 0, deletedWithInstance: true });
    this.#tokens.set(request.token, id);
    const instance: CloudInstance = {
      id,
      request,
      state: "pending",
      createdAt: this.setup.now(),
      addresses: [],
    };
    this.#instances.set(id, instance);
    return this.#view(instance);
  }

  terminateInstance(id: string): void {
    const instance = this.#instance(id);
    this.#instances.set(id, { ...instance, state: "terminated" });
    this.#disks.delete(id);
    for (const nic of this.#interfaces.values()) {
      if (nic.instanceId !== id) continue;
      if (nic.deletedWithInstance) this.#interfaces.delete(nic.id);
      else this.#interfaces.set(nic.id, detached(nic));
    }
    for (const address of this.#addresses.values())
      if (address.instanceId === id) this.#addresses.set(address.id, detached(address));
    for (const volume of this.volumes.values())
      if (volume.instanceId === id) this.volumes.set(volume.id, { id: volume.id });
  }

  /** Terminated ones too: the cloud remembers them, and their tokens, for a while. */
  instances(filter: { readonly id?: string; readonly tags?: CloudTags }): readonly CloudInstance[] {
    return [...this.#instances.values()]
      .filter(({ id, request }) => (filter.id ?? id) === id && matchesTags(request.tags, filter.tags ?? {}))
      .map((instance) => this.#view(instance));
  }

  resources(filter: { readonly tags?: CloudTags; readonly instanceId?: string }): {
    readonly interfaces: readonly CloudInterface[];
    readonly disks: readonly CloudDisk[];
    readonly addresses: readonly CloudAddress[];
  } {
    const wanted = <Resource extends { readonly tags: CloudTags; readonly instanceId?: string }>(
      resources: Iterable<Resource>,
    ) =>
      [...resources].filter(
        ({ tags, instanceId }) =>
          matchesTags(tags, filter.tags ?? {}) && (filter.instanceId ?? instanceId) === instanceId,
      );
    return {
      interfaces: wanted(this.#interfaces.values()),
      disks: wanted(this.#disks.values()),
      addresses: wanted(this.#addresses.values()),
    };
  }

  createInterface({ token, tags }: { readonly token: string; readonly tags: CloudTags }): CloudInterface {
    const known = [...this.#interfaces.values()].find((nic) => nic.token === token);
    if (known !== undefined) return known;
    this.#checkQuota("interfaces");
    const nic = this.#newInterface(token, tags);
    this.#interfaces.set(nic.id, nic);
    return nic;
  }

  attachInterface({ id, instanceId }: { readonly id: string; readonly instanceId: string }): void {
    const nic = found(this.#interfaces.get(id), id);
    if (nic.instanceId === instanceId) return;
    if (nic.instanceId !== undefined) throw inUse(id, nic.instanceId);
    this.#alive(instanceId);
    const index = this.resources({ instanceId }).interfaces.length;
    this.#interfaces.set(id, { ...nic, instanceId, index });
  }

  deleteInterface(id: string): void {
    const { instanceId } = found(this.#interfaces.get(id), id);
    if (instanceId !== undefined) throw inUse(id, instanceId);
    this.#interfaces.delete(id);
  }

  /** Has no token: asked twice, it gives two. */
  allocateAddress(tags: CloudTags): CloudAddress {
    this.#checkQuota("addresses");
    const id = this.#id("addr");
    const address = { id, tags, address: `203.0.113.${1 + (this.#serial % 254)}` };
    this.#addresses.set(id, address);
    return address;
  }

  associateAddress({ id, instanceId }: { readonly id: string; readonly instanceId: string }): void {
    this.#alive(instanceId);
    this.#addresses.set(id, { ...found(this.#addresses.get(id), id), instanceId });
  }

  releaseAddress(id: string): void {
    const { instanceId } = found(this.#addresses.get(id), id);
    if (instanceId !== undefined) throw inUse(id, instanceId);
    this.#addresses.delete(id);
  }

  attachVolume({ id, instanceId }: { readonly id: string; readonly instanceId: string }): void {
    const volume = found(this.volumes.get(id), id);
    if (volume.instanceId === instanceId) return;
    if (volume.instanceId !== undefined) throw inUse(id, volume.instanceId);
    this.#alive(instanceId);
    const index = [...this.volumes.values()].filter((other) => other.instanceId === instanceId).length;
    this.volumes.set(id, { id, instanceId, index });
  }

  /** The cloud announces that it takes a spot machine back. */
  announceReclaim(id: string, reclaimAt: number): void {
    this.#instances.set(id, { ...this.#instance(id), reclaimAt });
  }

  #checkRequest({ type, zone, image, userData }: RunInstanceRequest): void {
    if (!this.setup.types.some(({ name }) => name === type)) throw invalid(`no instance type ${type}`);
    if (!this.setup.zones.includes(zone)) throw invalid(`no zone ${zone}`);
    if (!this.images.has(image)) throw new FakeCloudError("NotFound", `no image ${image}`);
    if (Buffer.from(userData, "base64").byteLength > this.setup.maxUserDataBytes)
      throw invalid("user data is too long");
    if (this.exhausted.has(`${type}/${zone}`))
      throw new FakeCloudError("InsufficientInstanceCapacity", `no ${type} in ${zone}`);
  }

  #checkQuota(kind: ResourceKind): void {
    const quota = this.setup.quotas[kind] ?? Infinity;
    if (this.count()[kind] >= quota)
      throw new FakeCloudError("LimitExceeded", `${kind}: the limit is ${quota}`);
  }

  #view(instance: CloudInstance): CloudInstance {
    const { interfaces, addresses } = this.resources({ instanceId: instance.id });
    const booted = this.setup.now() >= instance.createdAt + this.setup.bootMs;
    return {
      ...instance,
      state: instance.state === "pending" && booted ? "running" : instance.state,
      addresses: [
        ...addresses.map(({ address }) => address),
        ...interfaces.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ address }) => address),
      ],
    };
  }

  #instance(id: string): CloudInstance {
    return found(this.#instances.get(id), id);
  }

  #alive(id: string): void {
    if (this.#instance(id).state === "terminated") throw invalid(`instance ${id} is terminated`);
  }

  #newInterface(token: string, tags: CloudTags): CloudInterface {
    const id = this.#id("nic");
    const address = `10.0.${(this.#serial >> 8) & 255}.${this.#serial & 255}`;
    return { id, token, tags, address, deletedWithInstance: false };
  }

  #id(prefix: string): string {
    this.#serial += 1;
    return `${prefix}-${this.#serial.toString(16).padStart(12, "0")}`;
  }
}

function detached<Resource extends { readonly instanceId?: string; readonly index?: number }>(
  resource: Resource,
): Resource {
  const { instanceId: _, index: __, ...rest } = resource;
  return rest as Resource;
}

function found<Resource>(resource: Resource | undefined, id: string): Resource {
  if (resource === undefined) throw new FakeCloudError("NotFound", `${id} does not exist`);
  return resource;
}

function inUse(id: string, by: string): FakeCloudError {
  return new FakeCloudError("ResourceInUse", `${id} is used by ${by}`);
}

function invalid(message: string): FakeCloudError {
  return new FakeCloudError("InvalidParameter", message);
}
