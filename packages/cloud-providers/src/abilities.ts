/**
 * What a provider may offer beyond the contract: interfaces of their own, found by a guard, never methods that throw
 * "not supported". A provider without an ability refuses a spec that asks for it with `invalid_request`.
 */

import type {
  CallContext,
  CloudVolume,
  Finding,
  InstanceSpec,
  Placement,
  Provider,
  Tags,
} from "./contract.ts";

/** Which instance is meant: at least one of both, as for a deletion. */
export interface InstanceReference {
  readonly instanceId?: string;
  readonly token?: string;
}

/** What {@link Inventory} tells of an instance. */
export interface InstanceRecord {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  /** One that has ended by itself and was not deleted yet is `stopping`; a start that waits for it fails then. */
  readonly state: "pending" | "running" | "stopping" | "gone" | "unknown";
  readonly tags: Tags;
  /** Milliseconds since the epoch, if the cloud tells. */
  readonly createdAt?: number;
}

/** Ability to look at what exists: adoption after a crash, orphan sweep, `peerpods try`. */
export interface Inventory {
  /** Instances that carry all of these tags; those that are gone are left out. */
  listInstances(tags: Tags, call: CallContext): Promise<readonly InstanceRecord[]>;
  /** One instance by id or token, or `undefined` when it is gone or never was. */
  getInstance(reference: InstanceReference, call: CallContext): Promise<InstanceRecord | undefined>;
}

/** Ability to say where an instance could be made, best first, so that `no_capacity` can be walked around. */
export interface PlacementAware {
  /**
   * Candidates for this spec: types, then zones. At least one.
   * @throws ProviderError `invalid_request` when no configured type fits.
   */
  placements(spec: InstanceSpec, call: CallContext): Promise<readonly Placement[]>;
}

/** A data volume as it is attached. */
export interface AttachedVolume extends CloudVolume {
  /** The device's name as the cloud gave it, e.g. `/dev/xvdb`; the guest may see another one. */
  readonly device?: string;
}

/**
 * Ability to attach existing data volumes at creation (`InstanceSpec.volumes`). A volume that does not exist or is in
 * use fails the creation before an instance is made. Deleting the instance detaches and keeps them.
 */
export interface Volumes {
  /** How many one instance can have. */
  readonly maxVolumes: number;
  /** Attached data volumes, in the order of the spec. */
  attachedVolumes(reference: InstanceReference, call: CallContext): Promise<readonly AttachedVolume[]>;
}

/** A network interface of an instance. */
export interface NetworkInterface {
  readonly id: string;
  /** 0 is the one that the worker dials. */
  readonly index: number;
  readonly addresses: readonly string[];
}

/** Ability to give an instance a second network interface (`InstanceSpec.multiNic`), which goes with the instance. */
export interface MultiNic {
  networkInterfaces(reference: InstanceReference, call: CallContext): Promise<readonly NetworkInterface[]>;
}

/** A pod VM image to bring to the cloud. */
export interface ImageUpload {
  /** File with the disk image. */
  readonly path: string;
  readonly format: "raw" | "qcow2" | "vhd";
  /** Repeating an upload with the same name and the same content yields the same image. */
  readonly name: string;
  readonly arch: string;
  readonly tags: Tags;
}

/** Ability to bring and to check pod VM images. */
export interface Images {
  /** @returns the cloud's id or name, as `InstanceSpec.image` takes it. */
  uploadImage(upload: ImageUpload, call: CallContext): Promise<{ readonly image: string }>;
  /** Whether the image exists, may be used, and fits the configured types. Nothing to say: no findings. */
  checkImage(image: string, call: CallContext): Promise<readonly Finding[]>;
  /** Deleting what is gone succeeds. */
  deleteImage(image: string, call: CallContext): Promise<void>;
}

/** Ability to ask for machines that the cloud may take back (`InstanceSpec.spot`). */
export interface Spot {
  /** Whether it is such a machine, and when the cloud will take it back, if it has said so (milliseconds since the epoch). */
  spotState(
    reference: InstanceReference,
    call: CallContext,
  ): Promise<{ readonly spot: boolean; readonly reclaimAt?: number }>;
}

/** What to read of an instance's output. */
export interface ConsoleLogsRequest extends InstanceReference {
  /** At most so many bytes of each log, its end. */
  readonly maxBytes: number;
}

/** One log of an instance: the console, or what one program of the guest has written. */
export interface ConsoleLog {
  /** `console`, or the program's name. */
  readonly name: string;
  /** Its end, UTF-8; what is none is replaced. Written by the guest, so not to be trusted. */
  readonly text: string;
  /** Whether there was more before. */
  readonly truncated: boolean;
}

/**
 * Ability to show what an instance has written, from outside: while it runs, and after it has ended by itself as long as
 * it has not been deleted. `peerpods logs` shows it, and the daemon keeps a copy when a start fails.
 */
export interface ConsoleLogs {
  /** The console first. No logs for an instance that is gone or never was. */
  consoleLogs(request: ConsoleLogsRequest, call: CallContext): Promise<readonly ConsoleLog[]>;
}

/** Names of the abilities, as reports and the matrix of `docs/providers.md` use them. */
export const abilityNames = [
  "inventory",
  "placements",
  "volumes",
  "multiNic",
  "images",
  "spot",
  "consoleLogs",
] as const;
export type AbilityName = (typeof abilityNames)[number];

const methods = {
  inventory: ["listInstances", "getInstance"],
  placements: ["placements"],
  volumes: ["attachedVolumes"],
  multiNic: ["networkInterfaces"],
  images: ["uploadImage", "checkImage", "deleteImage"],
  spot: ["spotState"],
  consoleLogs: ["consoleLogs"],
} as const satisfies Record<AbilityName, readonly string[]>;

/** The abilities that a connected provider has. */
export function abilitiesOf(provider: Provider): readonly AbilityName[] {
  return abilityNames.filter((ability) => has(provider, ability));
}

/** Methods that an ability consists of, for a wrapper that must pass on what there is and nothing more. */
export function methodsOfAbility(ability: AbilityName): readonly string[] {
  return methods[ability];
}

export function hasInventory(provider: Provider): provider is Provider & Inventory {
  return has(provider, "inventory");
}

export function isPlacementAware(provider: Provider): provider is Provider & PlacementAware {
  return has(provider, "placements");
}

export function supportsVolumes(provider: Provider): provider is Provider & Volumes {
  return has(provider, "volumes");
}

export function supportsMultiNic(provider: Provider): provider is Provider & MultiNic {
  return has(provider, "multiNic");
}

export function supportsImages(provider: Provider): provider is Provider & Images {
  return has(provider, "images");
}

export function supportsSpot(provider: Provider): provider is Provider & Spot {
  return has(provider, "spot");
}

export function hasConsoleLogs(provider: Provider): provider is Provider & ConsoleLogs {
  return has(provider, "consoleLogs");
}

function has(provider: Provider, ability: AbilityName): boolean {
  const members = provider as unknown as Readonly<Record<string, unknown>>;
  return methods[ability].every((method) => typeof members[method] === "function");
}
