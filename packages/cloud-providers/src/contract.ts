/**
 * The provider contract, version 1: what a cloud provider offers and what the core promises it.
 *
 * A provider reports facts and performs one act at a time; the sandbox lifecycle decides what comes next.
 * Everything a method needs arrives in its arguments: no process-wide environment, no hidden state.
 */

import type { OptionSpec } from "./options/spec.ts";
import type { Logger } from "./logger.ts";

/** Version of this contract. A provider that was built for another major version is refused by name. */
export const CONTRACT_VERSION = "1.0";

/**
 * The circumstances of one call.
 *
 * - `signal` aborts when the caller is gone or the deadline passes. Every wait inside the provider obeys it and
 *   rejects with `signal.reason` soon after (the conformance kit allows one second).
 * - `deadline` is the same limit as a point in time (milliseconds since the epoch), so that a retry can be
 *   given up before it is begun. `undefined` means that only `signal` limits the call.
 */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly deadline?: number;
  readonly logger: Logger;
}

/** What the pod asks of its VM. Zero or an empty string means "no wish; the provider's default". */
export interface InstanceSpec {
  /** The cloud's name of a machine type, from the pod's `machine_type` annotation. Wins over the numbers below. */
  readonly instanceType: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** `amd64`, `arm64`, `s390x`, `ppc64le`, or empty. */
  readonly arch: string;
  /** The cloud's id or name of a pod VM image, from the pod's `image` annotation. */
  readonly image: string;
  /** Ask for a second network interface for traffic that leaves the cluster through the VM. */
  readonly multiNic: boolean;
  /** Volumes to attach, in this order (the guest counts them from 0). */
  readonly volumes: readonly CloudVolume[];
}

/** A data volume that exists already and is to be attached. It is never created or deleted with the instance. */
export interface CloudVolume {
  readonly diskId: string;
}

/** Where one attempt is to be made. Produced by {@link PlacementAware.placements}; empty strings mean "default". */
export interface Placement {
  readonly instanceType: string;
  readonly zone: string;
}

/**
 * Tags that every resource and sub-resource of an instance carries, as far as the cloud can tag it.
 * They are how a machine is found again when the record of its id was lost. See `instanceTags`.
 */
export type Tags = Readonly<Record<string, string>>;

/** A request for one pod VM. */
export interface CreateInstanceRequest {
  /**
   * Idempotency token: sandbox id plus attempt number, written down by the caller before this call.
   *
   * The same token with the same request yields the same instance, however often and from whatever process it is
   * asked. The caller never uses a token again for another placement or after the instance was deleted.
   * At most 64 characters of `[a-z0-9-]`.
   */
  readonly token: string;
  /** Instance name, at most 63 characters of `[a-z0-9-]`; see `instanceName`. Also the TLS server name. */
  readonly name: string;
  readonly sandboxId: string;
  readonly podName: string;
  readonly podNamespace: string;
  /** The cloud-config document as plain text. The provider encodes it as its cloud wants it and checks its size first. */
  readonly userData: string;
  readonly spec: InstanceSpec;
  /** From {@link PlacementAware.placements}; absent when the provider does not offer that ability. */
  readonly placement?: Placement;
  readonly tags: Tags;
}

/** A pod VM that exists. */
export interface Instance {
  /** The cloud's id. Never empty. */
  readonly id: string;
  readonly name: string;
  /** IPv4 addresses, at least one. The first is the one the worker node dials; the second is the dedicated tunnel's. */
  readonly addresses: readonly string[];
}

/** At least one of `instanceId` and `token` is given and not empty; otherwise the call fails with `invalid_request`. */
export interface DeleteInstanceRequest {
  readonly instanceId?: string;
  /** Finds what a crash left before any id was known, and sub-resources of an instance that is gone. */
  readonly token?: string;
  /** The tags given at creation. Used only to find and to protect: what carries other values is not deleted. */
  readonly tags: Tags;
}

/** Something `configVerifier` wants a person to know. */
export interface Finding {
  readonly severity: "error" | "warning" | "info";
  /** The option or resource it is about, e.g. `subnetid`. */
  readonly subject: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** A connected provider. All methods may be called concurrently. */
export interface Provider {
  /**
   * Makes one pod VM and returns as soon as its id and addresses are known; the guest need not have booted.
   *
   * A failed call leaves nothing behind. What could not be undone is listed in `ProviderError.left`.
   * @throws ProviderError `invalid_request`, `invalid_config`, `no_capacity`, `quota_exceeded`, `throttled`,
   * `unauthorized`, `not_found`, `unavailable`, `conflict` (the token was used for another request), `internal`.
   */
  createInstance(request: CreateInstanceRequest, call: CallContext): Promise<Instance>;

  /**
   * Deletes the instance and every sub-resource made with it, and returns when the cloud has confirmed it.
   * Deleting what is gone succeeds, so the call can be repeated from any process.
   */
  deleteInstance(request: DeleteInstanceRequest, call: CallContext): Promise<void>;

  /** Asks the cloud whether this configuration can work: credentials, image, network, types, quota. */
  configVerifier(call: CallContext): Promise<readonly Finding[]>;

  /** Releases connections and timers. Instances stay. May be called twice. */
  teardown(): Promise<void>;
}

/** What a provider package exports as `provider`: everything that can be known before there is a connection. */
export interface CloudProvider {
  /** Registry key and first word of the daemon's command line. */
  readonly name: string;
  /** The {@link CONTRACT_VERSION} the package was built for. */
  readonly contractVersion: string;
  /** One line for `peerpods providers`. */
  readonly summary: string;
  readonly options: OptionSpec;
  /**
   * Connects. Checks only what can be checked without the cloud, loads the cloud's SDK lazily.
   * @throws ProviderError `invalid_config` with one line per wrong option.
   */
  newProvider(context: ProviderContext): Promise<Provider>;
}

/** What {@link CloudProvider.newProvider} is given. */
export interface ProviderContext {
  /** Values by option name, parsed and checked against {@link CloudProvider.options}. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  /** Directory of this provider's own state, mode 0700. Exists. */
  readonly stateDir: string;
  /** Environment that an SDK's own credential chain may read. Options never come from here. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

// ---- Optional abilities: interfaces of their own, found by a guard, never methods that throw "not supported". ----

/** What {@link Inventory} tells of an instance. */
export interface InstanceRecord {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly state: "pending" | "running" | "stopping" | "gone" | "unknown";
  readonly tags: Tags;
  /** Milliseconds since the epoch, if the cloud tells. */
  readonly createdAt?: number;
}

/** Ability to look at what exists: adoption after a crash, orphan sweep, `peerpods try`. */
export interface Inventory {
  /** Instances that carry all of these tags; those that are gone are left out. */
  listInstances(tags: Tags, call: CallContext): Promise<readonly InstanceRecord[]>;
  /** One instance by id or token, or `undefined`. */
  getInstance(
    request: { readonly instanceId?: string; readonly token?: string },
    call: CallContext,
  ): Promise<InstanceRecord | undefined>;
}

/** Ability to say where an instance could be made, best first, so that `no_capacity` can be walked around. */
export interface PlacementAware {
  /**
   * Candidates for this spec: types, then zones. At least one.
   * @throws ProviderError `invalid_request` when no configured type fits.
   */
  placements(spec: InstanceSpec, call: CallContext): Promise<readonly Placement[]>;
}

export function hasInventory(provider: Provider): provider is Provider & Inventory {
  return has(provider, "listInstances") && has(provider, "getInstance");
}

export function isPlacementAware(provider: Provider): provider is Provider & PlacementAware {
  return has(provider, "placements");
}

function has(provider: Provider, method: string): boolean {
  return typeof (provider as unknown as Record<string, unknown>)[method] === "function";
}
