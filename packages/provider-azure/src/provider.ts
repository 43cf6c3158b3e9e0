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
import { createArm, type Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import { readConsole } from "./console.ts";
import { carryOut, planCreation } from "./create-instance.ts";
import { removeDetached, removeInstance } from "./delete-instance.ts";
import { addressesOf, findMachine, interfacesOf, machineIdOf } from "./instances.ts";
import { listInstances, recordOf } from "./inventory.ts";
import { leftBehind } from "./leftovers.ts";
import { machineIdForm, machineNameOf, resourceId } from "./names.ts";
import type { Parts } from "./parts.ts";
import { candidates } from "./placements.ts";
import { describeSizes } from "./sizes.ts";
import { publicSshKey } from "./ssh-key.ts";
import { verifyConfig } from "./verify/verify-config.ts";
import { attachedVolumesOf, MAX_VOLUMES } from "./volumes.ts";
import { createCreationWatch, type CreationWatch } from "./watch-creation.ts";
import type { Machine } from "./wire.ts";

/** What a provider does things with; every part has a default. */
export interface AzureEffects {
  readonly clock?: Clock;
  /** Pause between looks where ARM names none; default 3 s. */
  readonly pollMs?: number;
  /** Default: one of its own, with the configured rate. */
  readonly policy?: CallPolicy;
  /** Whether machines are watched after their creation has returned; default true. */
  readonly watch?: boolean;
  /** How the way to ARM is got ready, and where a key comes from: what takes real time on this machine. */
  readonly createArm?: typeof createArm;
  readonly sshKey?: typeof publicSshKey;
}

const abilities: readonly AbilityName[] = [
  "inventory",
  "placements",
  "volumes",
  "multiNic",
  "spot",
  "consoleLogs",
];

/** Pod VMs on Microsoft Azure. It loads the SDK and connects when it is first asked for something. */
export class AzureProvider
  implements Provider, Inventory, PlacementAware, Volumes, MultiNic, Spot, ConsoleLogs
{
  readonly maxVolumes = MAX_VOLUMES;
  readonly #config: AzureConfig;
  readonly #parts: Parts;
  readonly #memory: CapacityMemory;
  readonly #locks = createKeyedLock();
  readonly #watch: CreationWatch | undefined;
  readonly #disconnect: () => void;

  constructor(
    config: AzureConfig,
    {
      clock = systemClock,
      pollMs = 3_000,
      policy,
      watch = true,
      createArm: create = createArm,
      sshKey: key = publicSshKey,
      logger = silentLogger,
    }: AzureEffects & { logger?: Logger },
  ) {
    this.#config = config;
    this.#memory = createCapacityMemory({ clock });
    const scope = `azure ${config.subscription} ${config.region}`;
    const connection = shared<Arm>(() =>
      create(config, policy ?? createCallPolicy({ scope, clock, bucket: config.rate })),
    );
    const sizes = shared(async (signal) => {
      const arm = await connection.get(signal);
      return await describeSizes(arm, config, { signal, logger });
    });
    const sshKey = shared(() => key(config.ssh.keyPath));
    this.#parts = {
      config,
      clock,
      pollMs,
      connect: ({ signal }) => connection.get(signal),
      sizes: ({ signal }) => sizes.get(signal),
      sshKey: ({ signal }) => sshKey.get(signal),
    };
    this.#watch = watch ? createCreationWatch(this.#parts, logger) : undefined;
    this.#disconnect = () => connection.made?.[Symbol.dispose]();
  }

  async createInstance(request: CreateInstanceRequest, call: CallContext): Promise<Instance> {
    call.signal.throwIfAborted();
    checkCreateRequest(request, { abilities });
    using _held = await this.#locks.acquire(request.token, call.signal);
    const creation = await planCreation(this.#parts, request, call);
    const { placement } = creation;
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
    const { instance, answer } = await this.#memory.follow(placement, made);
    this.#watch?.begin({ instance, answer }, (error) => this.#memory.note(placement, { error }));
    return instance;
  }

  async deleteInstance(request: DeleteInstanceRequest, call: CallContext): Promise<void> {
    call.signal.throwIfAborted();
    checkInstanceReference(request, machineIdForm);
    this.#watch?.end(machineIdOf(this.#config, request));
    await removeInstance(this.#parts, request, call);
  }

  async configVerifier(call: CallContext): Promise<readonly Finding[]> {
    call.signal.throwIfAborted();
    return await verifyConfig(this.#parts, call);
  }

  async teardown(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    this.#disconnect();
    await Promise.resolve();
  }

  async listInstances(tags: Tags, call: CallContext): Promise<readonly InstanceRecord[]> {
    const arm = await this.#parts.connect(call);
    return await listInstances(arm, { config: this.#config, tags }, call);
  }

  async getInstance(reference: InstanceReference, call: CallContext): Promise<InstanceRecord | undefined> {
    const machine = await this.#find(reference, call);
    if (machine === undefined) return undefined;
    const cards = await interfacesOf(await this.#parts.connect(call), machine, call);
    return recordOf(machine, addressesOf(cards, this.#config));
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
    const machine = await this.#find(reference, call);
    if (machine === undefined) return [];
    const cards = await interfacesOf(await this.#parts.connect(call), machine, call);
    return cards.map(({ id, privates, publics }, index) => ({
      id,
      index,
      addresses: [...privates, ...publics],
    }));
  }

  /** Only the machine itself is told when Azure takes it back, so `reclaimAt` is never there. */
  async spotState(reference: InstanceReference, call: CallContext): Promise<{ readonly spot: boolean }> {
    const machine = await this.#find(reference, call);
    return { spot: machine?.properties?.priority === "Spot" };
  }

  async consoleLogs(request: ConsoleLogsRequest, call: CallContext): Promise<readonly ConsoleLog[]> {
    const machine = await this.#find(request, call);
    if (machine === undefined) return [];
    const arm = await this.#parts.connect(call);
    const id = machineIdOf(this.#config, request);
    return [await readConsole(arm, { id, maxBytes: request.maxBytes }, call)];
  }

  async #undo(
    { token, tags }: CreateInstanceRequest,
    error: ProviderError,
    call: CallContext,
  ): Promise<void> {
    if (error.code === "conflict") await this.#undoBeside(token, call);
    else await removeInstance(this.#parts, { token, tags }, { ...call, mayBeNew: true });
  }

  /** The machine of the token is another request's, or has ended: not ours to undo. What stands beside it is. */
  async #undoBeside(token: string, call: CallContext): Promise<void> {
    const id = resourceId(this.#config, "machine", machineNameOf(token));
    const machine = await findMachine(await this.#parts.connect(call), id, call);
    if (machine !== undefined) await removeDetached(this.#parts, { id, machine }, call);
  }

  async #leftBy({ token }: CreateInstanceRequest, call: CallContext): Promise<readonly string[]> {
    const arm = await this.#parts.connect(call);
    return await leftBehind(arm, { config: this.#config, token }, call);
  }

  async #find(reference: InstanceReference, call: CallContext): Promise<Machine | undefined> {
    checkInstanceReference(reference, machineIdForm);
    const arm = await this.#parts.connect(call);
    return await findMachine(arm, machineIdOf(this.#config, reference), call);
  }
}
