import type { AbilityName, ImageUpload } from "../abilities.ts";
import type { Clock } from "../clock.ts";
import type { InstanceSpec, Placement, Provider, Tags } from "../contract.ts";

/** What can be made to go wrong with a call to the cloud's API. */
export const faultKinds = ["throttle", "server_error", "reset_before", "reset_after"] as const;
/** `reset_after`: the connection breaks after the cloud has acted. */
export type InjectedFault = (typeof faultKinds)[number];

/** A fault that is armed. Disposing disarms it. */
export interface Injection extends Disposable {
  /** Calls that it has hit so far. */
  readonly hits: number;
  /** Resolves when it hits its first call. */
  readonly reached: Promise<void>;
}

/** What a target is made of, for those who read the report. Each a phrase for a table. */
export interface TargetEnvironment {
  readonly against: string;
  readonly real: string;
  readonly stoodIn: string;
}

/** Calls of the cloud's API, as its side saw them, and what they are held against. */
export interface ApiCalls {
  /** Names of all calls so far, in order. */
  readonly seen: () => readonly string[];
  /** Calls of the reference for one plain creation and its deletion, without what it asks once at its start. */
  readonly reference: readonly string[];
}

/** Ability of a test environment to stand between provider and cloud. */
export interface FaultFacility {
  /** Calls of the API that the cloud has seen. */
  callCount(): number;
  /** Lets `after` calls pass, then hits the next `times` (default 1). */
  inject(fault: { readonly kind: InjectedFault; readonly after: number; readonly times?: number }): Injection;
  /** Lets `after` calls pass; the next one is never answered. With `acted` the cloud acts on it first. */
  stall(fault: { readonly after: number; readonly acted: boolean }): Injection;
}

/**
 * A provider, and what the kit may do with it. Everything that is optional is a facility: a rule that needs one that is
 * not there is reported as skipped, with the reason given in {@link missing}.
 */
export interface ConformanceTarget {
  /** The provider's name. */
  readonly name: string;
  /** What the provider says it offers. It must be what it has. */
  readonly abilities: readonly AbilityName[];
  /** A new connection that shares no memory with earlier ones, as a process of its own would have. */
  connect(): Promise<Provider>;
  /** The clock on which the provider waits. */
  readonly clock: Clock;
  /** Runs a rule; default: awaits it. With a clock that has to be driven, e.g. `(rule) => clock.runUntil(rule)`. */
  drive?(rule: Promise<void>): Promise<void>;
  /** A spec that works, where an empty one does not. */
  readonly spec?: Partial<InstanceSpec>;
  /** Limit of one create or delete. Default 10 minutes. */
  readonly callTimeoutMs?: number;
  /** How long undoing a creation takes here at most; that much later than otherwise may an aborted one reject. Default 0. */
  readonly undoMs?: number;
  /** How many instances to make at once. Default 5. */
  readonly parallel?: number;

  /** Everything that exists in the account or on the machine, sub-resources too, one unchanging name for each. */
  census?(): Promise<readonly string[]>;
  readonly faults?: FaultFacility;
  readonly apiCalls?: ApiCalls;
  /** The user data as the guest of this instance would read it. */
  userDataOf?(instanceId: string): Promise<string>;
  /** The limit of the cloud, in bytes of the plain document. */
  readonly maxUserDataBytes?: number;
  /** Tags of an instance and each of its sub-resources that can carry tags, by the name of the resource. */
  tagsOf?(instanceId: string): Promise<Readonly<Record<string, Tags>>>;
  /** Makes the instance vanish behind the provider's back; what was made beside it stays. */
  vanish?(instanceId: string): Promise<void>;
  /** Takes away and gives back the capacity of one placement. */
  capacity?(placement: Placement, available: boolean): Promise<void>;
  /** Two data volumes or more that exist and are free. */
  readonly volumes?: readonly string[];
  /** An image file to upload. */
  readonly imageFile?: Pick<ImageUpload, "path" | "format" | "arch">;
  /** Specs that name what does not exist, by what is wrong with them. */
  readonly badSpecs?: Readonly<Record<string, Partial<InstanceSpec>>>;
  /** Connections that cannot work, by what is wrong with them; the value connects. */
  readonly badConnections?: Readonly<Record<string, () => Promise<Provider>>>;
  /** Secret values that the configuration holds, and every line that was logged since the start. */
  readonly secrets?: { readonly values: readonly string[]; logged(): readonly string[] };
  /** Why a facility is missing, for the report. */
  readonly missing?: Partial<Readonly<Record<Facility, string>>>;
  /**
   * Facilities that are missing because there is nothing in this provider to try, and why, e.g. no option is secret. Their
   * rules are reported as not offered.
   */
  readonly notOffered?: Partial<Readonly<Record<Facility, string>>>;
  readonly environment?: TargetEnvironment;
}

/** Facilities that a rule can need. `observe` is `census` or the ability inventory. */
export type Facility =
  | "census"
  | "faults"
  | "apiCalls"
  | "userDataOf"
  | "maxUserDataBytes"
  | "tagsOf"
  | "vanish"
  | "capacity"
  | "volumes"
  | "imageFile"
  | "badSpecs"
  | "badConnections"
  | "secrets"
  | "observe";

/** Whether the target has a facility. */
export function hasFacility(target: ConformanceTarget, facility: Facility): boolean {
  if (facility === "observe") return target.census !== undefined || target.abilities.includes("inventory");
  return target[facility] !== undefined;
}
