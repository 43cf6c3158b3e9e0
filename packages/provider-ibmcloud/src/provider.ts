import {
  checkCreateRequest,
  checkInstanceReference,
  createCallPolicy,
  createCapacityMemory,
  createKeyedLock,
  makeOrUndo,
  type ProviderError,
  shared,
  silentLogger,
  systemClock,
  type AbilityName,
  type AttachedVolume,
  type CallContext,
  type CallPolicy,
  type CapacityMemory,
  type Clock,
  type CreateInstanceRequest,
  type DeleteInstanceRequest,
  type Finding,
  type Instance,
  type InstanceRecord,
  type InstanceReference,
  type InstanceSpec,
  type Inventory,
  type Logger,
  type MultiNic,
  type NetworkInterface,
  type Placement,
  type PlacementAware,
  type Provider,
  type Tags,
  type Volumes,
} from "@peerpods/cloud-providers";
import { createIbmcloud, type Ibmcloud } from "./client.ts";
import type { IbmcloudConfig } from "./config.ts";
import { carryOut, planCreation } from "./create-instance.ts";
import { removeInstance } from "./delete-instance.ts";
import { createImageCatalog } from "./images.ts";
import { findInstance, getInstance, instanceIdForm, interfacesOf, type Found } from "./instances.ts";
import { listInstances, recordOf } from "./inventory.ts";
import { createClusterFacts, type InCluster } from "./kubernetes.ts";
import type { VpcInstance } from "./model.ts";
import type { Parts } from "./parts.ts";
import { candidates } from "./placements.ts";
import { describeProfiles } from "./profiles.ts";
import { resolveSettings, resolveVpcUrl } from "./settings.ts";
import { verifyConfig } from "./verify/verify-config.ts";
import { attachedVolumesOf, MAX_VOLUMES } from "./volumes.ts";

/** What a provider does things with; every part has a default. */
export interface IbmcloudEffects {
  readonly clock?: Clock;
  /** Default: 3 s. */
  readonly pollMs?: number;
  /** Default: one of its own, with the configured rate. */
  readonly policy?: CallPolicy;
  /** The cluster that this process runs in. Default: none. */
  readonly cluster?: InCluster;
}

const abilities: readonly AbilityName[] = ["inventory", "placements", "volumes", "multiNic"];

/** Pod VMs on IBM Cloud VPC. It loads the SDK and connects when it is first asked for something. */
export class IbmcloudProvider implements Provider, Inventory, PlacementAware, Volumes, MultiNic {
  readonly maxVolumes = MAX_VOLUMES;
  readonly #parts: Parts;
  readonly #memory: CapacityMemory;
  readonly #locks = createKeyedLock();
  readonly #disconnect: () => void;

  constructor(
    config: IbmcloudConfig,
    {
      clock = systemClock,
      pollMs = 3_000,
      policy,
      cluster,
      logger = silentLogger,
    }: IbmcloudEffects & { logger?: Logger },
  ) {
    this.#memory = createCapacityMemory({ clock });
    const facts = createClusterFacts(cluster, (path, error) =>
      logger.debug({ err: error, path }, "the cluster does not tell"),
    );
    const connection = shared<Ibmcloud>(async (signal) => {
      const vpcUrl = await resolveVpcUrl(config, facts, signal);
      return await createIbmcloud(config, {
        vpcUrl,
        policy:
          policy ??
          createCallPolicy({ scope: `ibmcloud ${new URL(vpcUrl).host}`, clock, bucket: config.rate }),
      });
    });
    const connect = async ({ signal }: Pick<CallContext, "signal">) => await connection.get(signal);
    const settings = shared(async (signal) => {
      const ibmcloud = await connection.get(signal);
      return await resolveSettings(config, { ibmcloud, facts }, { signal, logger });
    });
    const profiles = shared(async (signal) =>
      describeProfiles(await connection.get(signal), config, { signal, logger }),
    );
    this.#parts = {
      config,
      clock,
      pollMs,
      ibmcloud: connect,
      settings: async ({ signal }) => await settings.get(signal),
      profiles: async ({ signal }) => await profiles.get(signal),
      images: createImageCatalog(connect),
    };
    this.#disconnect = () => connection.made?.[Symbol.dispose]();
  }

  async createInstance(request: CreateInstanceRequest, call: CallContext): Promise<Instance> {
    call.signal.throwIfAborted();
    checkCreateRequest(request, { abilities });
    using _held = await this.#locks.acquire(request.token, call.signal);
    const creation = await planCreation(this.#parts, request, call);
    const made = makeOrUndo(
      {
        make: async (onBegun) => await carryOut(this.#parts, creation, { ...call, onBegun }),
        undo: async (error, own) => await this.#undo(request, error, own),
        left: async (own) => await this.#leftBy(request, own),
      },
      {
        what: `instance ${request.name}`,
        token: request.token,
        clock: this.#parts.clock,
        logger: call.logger,
      },
    );
    return await this.#memory.follow(creation.placement, made);
  }

  async deleteInstance(request: DeleteInstanceRequest, call: CallContext): Promise<void> {
    call.signal.throwIfAborted();
    checkInstanceReference(request, instanceIdForm);
    await removeInstance(this.#parts, request, call);
  }

  async configVerifier(call: CallContext): Promise<readonly Finding[]> {
    call.signal.throwIfAborted();
    return await verifyConfig(this.#parts, call);
  }

  async teardown(): Promise<void> {
    this.#disconnect();
    await Promise.resolve();
  }

  async listInstances(tags: Tags, call: CallContext): Promise<readonly InstanceRecord[]> {
    const ibmcloud = await this.#parts.ibmcloud(call);
    return await listInstances(ibmcloud, { tags, vpc: this.#parts.config.vpc }, call);
  }

  async getInstance(reference: InstanceReference, call: CallContext): Promise<InstanceRecord | undefined> {
    const seen = await this.#find(reference, call);
    return seen === undefined ? undefined : recordOf(seen.instance, seen.tags);
  }

  async placements(spec: InstanceSpec, call: CallContext): Promise<readonly Placement[]> {
    return this.#memory.worthTrying(await candidates(this.#parts, spec, call));
  }

  async attachedVolumes(reference: InstanceReference, call: CallContext): Promise<readonly AttachedVolume[]> {
    return attachedVolumesOf((await this.#find(reference, call))?.instance);
  }

  async networkInterfaces(
    reference: InstanceReference,
    call: CallContext,
  ): Promise<readonly NetworkInterface[]> {
    const seen = await this.#find(reference, call);
    return (seen === undefined ? [] : interfacesOf(seen.instance)).map(({ id, primary_ip: ip }, index) => ({
      id,
      index,
      addresses: ip === undefined ? [] : [ip.address],
    }));
  }

  async #undo(
    { token, tags }: CreateInstanceRequest,
    error: ProviderError,
    call: CallContext,
  ): Promise<void> {
    // The instance of that token is another request's, or is on its way out: not ours to undo.
    if (error.code === "conflict") return;
    await removeInstance(this.#parts, { token, tags }, { ...call, mayBeNew: true });
  }

  async #leftBy({ token }: CreateInstanceRequest, call: CallContext): Promise<readonly string[]> {
    const found = await findInstance(await this.#parts.ibmcloud(call), { token }, call);
    return found === undefined ? [] : [found.id];
  }

  async #find(
    reference: InstanceReference,
    call: CallContext,
  ): Promise<(Found & { readonly instance: VpcInstance }) | undefined> {
    checkInstanceReference(reference, instanceIdForm);
    const ibmcloud = await this.#parts.ibmcloud(call);
    const found = await findInstance(ibmcloud, reference, call);
    const instance = found === undefined ? undefined : await getInstance(ibmcloud, found.id, call);
    return found === undefined || instance === undefined ? undefined : { ...found, instance };
  }
}
