import { createTokenBucket } from "../../call-policy/token-bucket.ts";
import { systemClock, type Clock } from "../../clock.ts";
import type { InstanceType } from "../../instance-types/select.ts";
import { Account } from "./account.ts";
import { FakeCloudError } from "./cloud-error.ts";
import { FaultPlan, faultAnswer, type Fault } from "./faults.ts";
import { defaultTypes, type ApiStep, type ResourceCount } from "./model.ts";

/** How the cloud is to behave. Every setting can be left out. */
export interface FakeCloudOptions {
  /** Default: the machine's time. */
  readonly clock?: Clock;
  /** Time of each call, half before and half after the cloud acts. Default 0. */
  readonly latencyMs?: number;
  /** From the creation of an instance until it runs. Default 0. */
  readonly bootMs?: number;
  /** Most resources of a kind. Default: no limit. */
  readonly quotas?: Partial<ResourceCount>;
  /** Calls that the cloud takes; more are throttled. Default: no limit. */
  readonly rateLimit?: { readonly capacity: number; readonly refillPerSecond: number };
  readonly faults?: readonly Fault[];
  /** Default: small, medium, large and gpu. */
  readonly types?: readonly InstanceType[];
  /** Default: `a` and `b`. */
  readonly zones?: readonly string[];
  /** Default: `img-podvm`. */
  readonly images?: readonly string[];
  /** Data volumes that exist. Default: none. */
  readonly volumes?: readonly string[];
  /** The credential that every call must carry. Default: `fake-access-key`. */
  readonly accessKey?: string;
  /** Default 16 KiB, before base64. */
  readonly maxUserDataBytes?: number;
}

/** One call, as the cloud saw it. */
export interface ApiCall {
  readonly step: ApiStep;
  readonly at: number;
}

/** The caller's side of one call. */
export interface ApiSession {
  readonly accessKey: string;
  readonly signal: AbortSignal;
}

/**
 * A cloud in memory, reached through an API that takes time, keeps limits and fails on demand.
 *
 * A provider uses {@link request}; a test looks at and changes {@link account}, {@link faults} and {@link latencyMs}.
 */
export class FakeCloud {
  readonly account: Account;
  readonly faults = new FaultPlan();
  readonly calls: ApiCall[] = [];
  latencyMs: number;
  readonly clock: Clock;
  readonly #accessKey: string;
  readonly #bucket: { level(): number; debit(calls: number): void } | undefined;

  constructor(options: FakeCloudOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.latencyMs = options.latencyMs ?? 0;
    this.#accessKey = options.accessKey ?? "fake-access-key";
    this.#bucket =
      options.rateLimit === undefined
        ? undefined
        : createTokenBucket({ clock: this.clock, ...options.rateLimit });
    this.account = new Account({
      now: () => this.clock.now(),
      types: options.types ?? defaultTypes,
      zones: options.zones ?? ["a", "b"],
      images: options.images ?? ["img-podvm"],
      volumes: options.volumes ?? [],
      quotas: options.quotas ?? {},
      bootMs: options.bootMs ?? 0,
      maxUserDataBytes: options.maxUserDataBytes ?? 16_384,
    });
    for (const fault of options.faults ?? []) this.faults.add(fault);
  }

  /** What exists now: of terminated instances nothing, of data volumes nothing. */
  count(): ResourceCount {
    return this.account.count();
  }

  /** From now on there is no machine of this type in this zone. */
  exhaust(placement: { readonly instanceType: string; readonly zone: string }): void {
    this.account.exhausted.add(`${placement.instanceType}/${placement.zone}`);
  }

  /** There are machines again. */
  replenish(placement: { readonly instanceType: string; readonly zone: string }): void {
    this.account.exhausted.delete(`${placement.instanceType}/${placement.zone}`);
  }

  /**
   * One call of the API: half the latency, the act, half the latency. An abort during the first half means that
   * nothing was done, during the second that the answer was lost.
   * @throws FakeCloudError as the API's refusal or a broken connection; `signal.reason` on abort.
   */
  async request<Result>(
    step: ApiStep,
    { accessKey, signal }: ApiSession,
    act: (account: Account) => Result,
  ): Promise<Result> {
    signal.throwIfAborted();
    this.calls.push({ step, at: this.clock.now() });
    const fault = this.faults.next(step);
    await this.#travel(signal);
    if (fault === "hang") await forever(signal);
    if (fault !== undefined && fault !== "reset_after" && fault !== "hang_after")
      throw faultAnswer(fault, step);
    this.#admit(accessKey, step);
    const result = structuredClone(act(this.account));
    if (fault === "hang_after") await forever(signal);
    if (fault === "reset_after") throw faultAnswer(fault, step);
    await this.#travel(signal);
    return result;
  }

  #admit(accessKey: string, step: ApiStep): void {
    if (accessKey !== this.#accessKey)
      throw new FakeCloudError("AuthFailure", `${step}: the access key is wrong`);
    if (this.#bucket === undefined) return;
    if (this.#bucket.level() < 1) throw new FakeCloudError("RequestLimitExceeded", `${step}: too many calls`);
    this.#bucket.debit(1);
  }

  async #travel(signal: AbortSignal): Promise<void> {
    if (this.latencyMs > 0) await this.clock.sleep(this.latencyMs / 2, { signal });
  }
}

/** A cloud in memory. See {@link FakeCloud}. */
export function createFakeCloud(options: FakeCloudOptions = {}): FakeCloud {
  return new FakeCloud(options);
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
