import {
  abilityNames,
  type AttachedVolume,
  type ConsoleLog,
  type ConsoleLogs,
  type ConsoleLogsRequest,
  type Images,
  type ImageUpload,
  type InstanceRecord,
  type InstanceReference,
  type Inventory,
  type MultiNic,
  type NetworkInterface,
  type PlacementAware,
  type Spot,
  type Volumes,
} from "../../abilities.ts";
import {
  UNDO_TIMEOUT_MS,
  type CallContext,
  type CreateInstanceRequest,
  type DeleteInstanceRequest,
  type Finding,
  type Instance,
  type InstanceSpec,
  type Placement,
  type Provider,
  type Tags,
} from "../../contract.ts";
import { ProviderError } from "../../errors.ts";
import { tagKeys } from "../../identity/instance-tags.ts";
import { createCapacityMemory, type CapacityMemory } from "../../instance-types/capacity-memory.ts";
import { placementsOf } from "../../instance-types/placements.ts";
import { selectInstanceTypes } from "../../instance-types/select.ts";
import { checkCreateRequest, checkInstanceReference } from "../../request/check-request.ts";
import { createKeyedLock } from "../../request/keyed-lock.ts";
import { timedCall } from "../call-context.ts";
import type { CloudInstance } from "../fake-cloud/model.ts";
import { carryOut, planCreation, type CreateParts } from "./create.ts";
import { removeInstance, resourcesOf } from "./remove.ts";
import { verifyFakeConfig } from "./verify.ts";

const ID_FORM = /^i-[0-9a-f]{12}$/;

/** Provider of the fake cloud, with every ability there is. A test may override a method to break a rule on purpose. */
export class FakeProvider
  implements Provider, Inventory, PlacementAware, Volumes, MultiNic, Images, Spot, ConsoleLogs
{
  readonly maxVolumes = 4;
  readonly parts: CreateParts;
  readonly #types;
  readonly #memory: CapacityMemory;
  readonly #locks = createKeyedLock();

  constructor(parts: CreateParts & { readonly types: Parameters<typeof selectInstanceTypes>[1]["catalog"] }) {
    this.parts = parts;
    this.#types = parts.types;
    this.#memory = createCapacityMemory({ clock: parts.clock });
  }

  async createInstance(request: CreateInstanceRequest, call: CallContext): Promise<Instance> {
    call.signal.throwIfAborted();
    checkCreateRequest(request, { abilities: abilityNames });
    if (request.spec.volumes.length > this.maxVolumes)
      throw new ProviderError("invalid_request", `an instance takes ${this.maxVolumes} volumes`);
    const placement = this.#placementOf(request);
    const plan = planCreation(request, placement, this.parts.config);
    using _held = await this.#locks.acquire(request.token, call.signal);
    let begun = false;
    const onTry = () => {
      begun = true;
    };
    try {
      const instance = await carryOut(this.parts, plan, { ...call, onTry });
      this.#memory.note(placement, {});
      return instance;
    } catch (thrown) {
      const error = ProviderError.from(thrown, `cannot create instance ${request.name}`);
      this.#memory.note(placement, { error });
      // The instance of that token is another request's, or ended long ago: not ours to undo.
      if (error.code === "conflict" || !begun) throw error;
      const left = await this.undo(request, call);
      if (left.length === 0) throw error;
      throw new ProviderError(error.code, `${error.message}; it could not be undone`, { cause: error, left });
    }
  }

  async deleteInstance(request: DeleteInstanceRequest, call: CallContext): Promise<void> {
    call.signal.throwIfAborted();
    checkInstanceReference(request, ID_FORM);
    await removeInstance(this.parts.client, request, call);
  }

  async configVerifier(call: CallContext): Promise<readonly Finding[]> {
    return await verifyFakeConfig(this.parts, call);
  }

  async teardown(): Promise<void> {
    await Promise.resolve();
  }

  async listInstances(tags: Tags, call: CallContext): Promise<readonly InstanceRecord[]> {
    const instances = await this.parts.client.call("describeInstances", call, (cloud) =>
      cloud.instances({ tags }),
    );
    return instances.filter(({ state }) => state !== "terminated").map(recordOf);
  }

  async getInstance(reference: InstanceReference, call: CallContext): Promise<InstanceRecord | undefined> {
    const instance = await this.#find(reference, call);
    return instance === undefined ? undefined : recordOf(instance);
  }

  async placements(spec: InstanceSpec, call: CallContext): Promise<readonly Placement[]> {
    call.signal.throwIfAborted();
    return this.#memory.worthTrying(this.#candidates(spec));
  }

  async attachedVolumes(reference: InstanceReference, call: CallContext): Promise<readonly AttachedVolume[]> {
    const instance = await this.#find(reference, call);
    const volumes = await this.parts.client.call("describeVolumes", call, (cloud) =>
      [...cloud.volumes.values()].filter(
        ({ instanceId }) => instance !== undefined && instanceId === instance.id,
      ),
    );
    return volumes.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ id }) => ({ diskId: id }));
  }

  async networkInterfaces(
    reference: InstanceReference,
    call: CallContext,
  ): Promise<readonly NetworkInterface[]> {
    const instance = await this.#find(reference, call);
    if (instance === undefined) return [];
    const { interfaces } = await this.parts.client.call("describeResources", call, (cloud) =>
      cloud.resources({ instanceId: instance.id }),
    );
    return interfaces
      .map(({ id, index = 0, address }) => ({ id, index, addresses: [address] }))
      .toSorted((a, b) => a.index - b.index);
  }

  /** The file is not read: in this cloud an image is its name. */
  async uploadImage({ name }: ImageUpload, call: CallContext): Promise<{ readonly image: string }> {
    const image = `img-${name}`;
    await this.parts.client.call("uploadImage", call, (cloud) => void cloud.images.add(image));
    return { image };
  }

  async checkImage(image: string, call: CallContext): Promise<readonly Finding[]> {
    const exists = await this.parts.client.call("describeImage", call, (cloud) => cloud.images.has(image));
    if (exists) return [];
    return [
      {
        severity: "error",
        subject: image,
        message: "the image does not exist",
        remedy: "upload it, or set fake-image to one that does",
      },
    ];
  }

  async deleteImage(image: string, call: CallContext): Promise<void> {
    await this.parts.client.call("deleteImage", call, (cloud) => void cloud.images.delete(image));
  }

  async spotState(
    reference: InstanceReference,
    call: CallContext,
  ): Promise<{ readonly spot: boolean; readonly reclaimAt?: number }> {
    const instance = await this.#find(reference, call);
    const reclaimAt = instance?.reclaimAt;
    return { spot: instance?.request.spot === true, ...(reclaimAt === undefined ? {} : { reclaimAt }) };
  }

  async consoleLogs(request: ConsoleLogsRequest, call: CallContext): Promise<readonly ConsoleLog[]> {
    const instance = await this.#find(request, call);
    if (instance === undefined) return [];
    const text = `${instance.request.name} is ${instance.state}\n`;
    return [
      { name: "console", text: text.slice(-request.maxBytes), truncated: text.length > request.maxBytes },
    ];
  }

  /** Removes what a failed creation made, in a time of its own: the caller's is often over. @returns what is left. */
  protected async undo(
    { token, tags }: CreateInstanceRequest,
    { logger }: CallContext,
  ): Promise<readonly string[]> {
    using call = timedCall(this.parts.clock, { timeoutMs: UNDO_TIMEOUT_MS, logger });
    try {
      await removeInstance(this.parts.client, { token, tags }, call);
      return [];
    } catch (error) {
      logger.warn({ err: error, token }, "cannot undo a failed creation");
      return await resourcesOf(this.parts.client, token, call).catch(() => [
        `whatever carries the token ${token}`,
      ]);
    }
  }

  /** Without the memory: the same request must mean the same machine whenever it is repeated. */
  #placementOf({ spec, placement }: CreateInstanceRequest): Placement {
    const [first] = this.#candidates(spec);
    return {
      instanceType: placement?.instanceType || (first?.instanceType ?? ""),
      zone: placement?.zone || (first?.zone ?? ""),
    };
  }

  #candidates(spec: InstanceSpec): readonly Placement[] {
    const { instanceTypes, instanceType, zones } = this.parts.config;
    const choice = { catalog: this.#types, allowed: instanceTypes, defaultType: instanceType };
    return placementsOf(selectInstanceTypes(spec, choice), zones);
  }

  async #find(reference: InstanceReference, call: CallContext): Promise<CloudInstance | undefined> {
    checkInstanceReference(reference, ID_FORM);
    const { instanceId = "", token = "" } = reference;
    const filter = instanceId === "" ? { tags: { [tagKeys.token]: token } } : { id: instanceId };
    const instances = await this.parts.client.call("describeInstances", call, (cloud) =>
      cloud.instances(filter),
    );
    return instances.find(({ state }) => state !== "terminated");
  }
}

function recordOf({ id, request, addresses, state, createdAt }: CloudInstance): InstanceRecord {
  return {
    id,
    name: request.name,
    addresses,
    state: state === "terminated" ? "gone" : state,
    tags: request.tags,
    createdAt,
  };
}
