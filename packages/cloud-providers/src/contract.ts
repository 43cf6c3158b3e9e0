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
 * - `signal` aborts when the caller is gone or the deadline passes. Every wait inside the provider obeys it and the call
 *   rejects soon after (the conformance kit allows one second) with `signal.reason`, or with a ProviderError
 *   `aborted` or `timeout`. Undoing what was begun is not part of the call's time: it goes on for at most
 *   {@link UNDO_TIMEOUT_MS} before the rejection, and what it could not undo is in `ProviderError.left`.
 *   A signal that is aborted already: nothing is begun.
 * - `deadline` is the same limit as a point in time (milliseconds since the epoch), so that a retry can be
 *   given up before it is begun. `undefined` means that only `signal` limits the call.
 */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly deadline?: number;
  readonly logger: Logger;
}

/** How long a failed or aborted creation may go on to undo what it began, in milliseconds. */
export const UNDO_TIMEOUT_MS = 60_000;

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
  /**
   * Ask for a second network interface for traffic that leaves the cluster through the VM. Only for a provider with the
   * ability `MultiNic`.
   */
  readonly multiNic: boolean;
  /** Volumes to attach, in this order (the guest counts them from 0). Only for a provider with the ability `Volumes`. */
  readonly volumes: readonly CloudVolume[];
  /** Ask for a machine that the cloud may take back. Only for a provider with the ability `Spot`. Default false. */
  readonly spot?: boolean;
}

/** A data volume that exists already and is to be attached. It is never created or deleted with the instance. */
export interface CloudVolume {
  readonly diskId: string;
}

/** Where one attempt is to be made. Produced by `PlacementAware.placements`; empty strings mean "default". */
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
  /** From `PlacementAware.placements`; absent when the provider does not offer that ability. */
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
  /**
   * The tags given at creation. Used only to find and to protect: an instance that carries another value for one of them
   * is another's. It is left alone, and the call fails with `conflict`.
   */
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
   * A failed call leaves nothing behind. What could not be undone is listed in `ProviderError.left`. User data, type, image
   * and whatever else can be judged without the cloud is judged before anything is made.
   * @throws ProviderError `invalid_request`, `invalid_config`, `no_capacity`, `quota_exceeded`, `throttled`,
   * `unauthorized`, `not_found`, `unavailable`, `timeout`, `aborted`, `circuit_open`, `conflict` (the token was used for
   * another request, or its instance has ended), `internal`.
   */
  createInstance(request: CreateInstanceRequest, call: CallContext): Promise<Instance>;

  /**
   * Deletes the instance and every sub-resource made with it, and returns when the cloud has confirmed it. Data volumes
   * stay. Deleting what is gone, or never was, succeeds, so the call can be repeated from any process. After a failed or
   * aborted call something may be left; the same call again goes on.
   * @throws ProviderError `invalid_request` when neither id nor token is given or one is malformed, `conflict` when the
   * instance is another's, `throttled`, `unauthorized`, `unavailable`, `timeout`, `aborted`, `circuit_open`, `internal`.
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
