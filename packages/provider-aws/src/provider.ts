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
  type ConsoleLog,
  type ConsoleLogs,
  type ConsoleLogsRequest,
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
  type Spot,
  type Tags,
  type Volumes,
} from "@peerpods/cloud-providers";
import type { Instance as Ec2Instance } from "@aws-sdk/client-ec2";
import { openAccess } from "./access.ts";
import { createEc2 } from "./client.ts";
import type { AwsConfig } from "./config.ts";
import { carryOut, planCreation } from "./create-instance.ts";
import { removeInstance } from "./delete-instance.ts";
import { readConsole } from "./console.ts";
import { createImageCatalog } from "./images.ts";
import { createMetadataService } from "./imds.ts";
import { describeInstanceTypes } from "./instance-types.ts";
import { findInstance, instanceIdForm, interfacesOf, isGoneInstance } from "./instances.ts";
import { listInstances, recordOf } from "./inventory.ts";
import { leftoversOf } from "./leftovers.ts";
import type { Connected, Parts } from "./parts.ts";
import { candidates } from "./placements.ts";
import { resolveSettings } from "./settings.ts";
import { verifyConfig } from "./verify/verify-config.ts";
import { attachedVolumesOf, MAX_VOLUMES } from "./volumes.ts";

/** What a provider does things with; every part has a default. */
export interface AwsEffects {
  readonly clock?: Clock;
  /** Default: 3 s. */
  readonly pollMs?: number;
  /** Default: one of its own, with the configured rate. */
  readonly policy?: CallPolicy;
}

const abilities: readonly AbilityName[] = [
  "inventory",
  "placements",
  "volumes",
  "multiNic",
  "spot",
  "consoleLogs",
];

/** Pod VMs on Amazon EC2. It loads the SDK and connects when it is first asked for something. */
export class AwsProvider
  implements Provider, Inventory, PlacementAware, Volumes, MultiNic, Spot, ConsoleLogs
{
  readonly maxVolumes = MAX_VOLUMES;
  readonly #config: AwsConfig;
  readonly #parts: Parts;
  readonly #memory: CapacityMemory;
  readonly #locks = createKeyedLock();
  readonly #disconnect: () => void;

  constructor(
    config: AwsConfig,
    env: Readonly<Record<string, string | undefined>>,
    { clock = systemClock, pollMs = 3_000, policy, logger = silentLogger }: AwsEffects & { logger?: Logger },
  ) {
    this.#config = config;
    this.#memory = createCapacityMemory({ clock });
    const connection = shared<Connected>(async (signal) => {
      const settings = await resolveSettings(config, createMetadataService(env), { signal, logger });
      const { region } = settings;
      const access = await openAccess(config, {
        region,
        env,
        policy: policy ?? createCallPolicy({ scope: `aws ${region}`, clock, bucket: config.rate }),
      });
      return { access, ec2: await createEc2(access, config.connection), settings };
    });
    const types = shared(async (signal) => {
      const { ec2 } = await connection.get(signal);
      return await describeInstanceTypes(ec2, config, { signal, logger });
    });
    const connect = ({ signal }: CallContext) => connection.get(signal);
    this.#parts = {
      config,
      clock,
      pollMs,
      connect,
      instanceTypes: ({ signal }) => types.get(signal),
      images: createImageCatalog(async (call) => (await connect(call)).ec2),
    };
    this.#disconnect = () => connection.made?.ec2[Symbol.dispose]();
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
    const { ec2 } = await this.#parts.connect(call);
    return await listInstances(ec2, { tags, publicAddress: this.#config.publicAddress }, call);
  }

  async getInstance(reference: InstanceReference, call: CallContext): Promise<InstanceRecord | undefined> {
    const instance = await this.#find(reference, call);
    return instance === undefined ? undefined : recordOf(instance, this.#config);
  }

  async placements(spec: InstanceSpec, call: CallContext): Promise<readonly Placement[]> {
    call.signal.throwIfAborted();
    return this.#memory.worthTrying(await candidates(this.#parts, spec, call));
  }

  async attachedVolumes(reference: InstanceReference, call: CallContext): Promise<readonly AttachedVolume[]> {
    return attachedVolumesOf(await this.#find(reference, call));
  }

  async networkInterfaces(
    reference: InstanceReference,
    call: CallContext,
  ): Promise<readonly NetworkInterface[]> {
    const instance = await this.#find(reference, call);
    if (instance === undefined) return [];
    return interfacesOf(instance).map((card, index) => ({
      id: card.NetworkInterfaceId ?? "",
      index: card.Attachment?.DeviceIndex ?? index,
      addresses: [card.PrivateIpAddress ?? "", card.Association?.PublicIp ?? ""].filter(Boolean),
    }));
  }

  /** Only the machine itself is told when AWS takes it back, so `reclaimAt` is never there. */
  async spotState(reference: InstanceReference, call: CallContext): Promise<{ readonly spot: boolean }> {
    const instance = await this.#find(reference, call);
    return { spot: instance?.InstanceLifecycle === "spot" };
  }

  async consoleLogs(request: ConsoleLogsRequest, call: CallContext): Promise<readonly ConsoleLog[]> {
    const instance = await this.#find(request, call);
    if (instance?.InstanceId === undefined) return [];
    const { ec2 } = await this.#parts.connect(call);
    return [await readConsole(ec2, { id: instance.InstanceId, maxBytes: request.maxBytes }, call)];
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
    const { ec2 } = await this.#parts.connect(call);
    const instance = await findInstance(ec2, { token }, call);
    const alive = instance === undefined || isGoneInstance(instance) ? [] : [instance.InstanceId ?? ""];
    return [...alive, ...(await leftoversOf(ec2, token, call))];
  }

  async #find(reference: InstanceReference, call: CallContext): Promise<Ec2Instance | undefined> {
    checkInstanceReference(reference, instanceIdForm);
    const { ec2 } = await this.#parts.connect(call);
    const instance = await findInstance(ec2, reference, call);
    return instance === undefined || isGoneInstance(instance) ? undefined : instance;
  }
}
