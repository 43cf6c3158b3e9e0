import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { hasInventory } from "../abilities.ts";
import type {
  CreateInstanceRequest,
  DeleteInstanceRequest,
  Instance,
  InstanceSpec,
  Provider,
} from "../contract.ts";
import { tagKeys } from "../identity/instance-tags.ts";
import { silentLogger, type Logger } from "../logger.ts";
import { timedCall, type TimedCall } from "../testing/call-context.ts";
import { testRequest, type TestRequestOptions } from "../testing/fixtures.ts";
import { ensure, outcomeOf, type Outcome } from "./rule.ts";
import type { ConformanceTarget } from "./target.ts";

/** What one run of the kit shares among its rules. */
export interface BenchShared {
  /** Cluster id of this run, so that nothing else in the account is touched. */
  readonly runId: string;
  /** Text of everything that was thrown or found, for the rule about secrets. */
  readonly said: string[];
  readonly logger?: Logger;
}

/**
 * What a rule works with: the target, a connection, requests that no other rule uses. Remembers what was asked
 * for, so that all of it is deleted when the rule is over.
 */
export class Bench implements AsyncDisposable {
  readonly target: ConformanceTarget;
  readonly shared: BenchShared;
  readonly #connections: Provider[] = [];
  readonly #requests: CreateInstanceRequest[] = [];
  readonly #calls: TimedCall[] = [];
  /** Instance ids by token, as far as they are known. */
  readonly #ids = new Map<string, string>();
  #provider: Promise<Provider> | undefined;
  /** What the rule has measured, for the report. */
  note: string | undefined;

  constructor(target: ConformanceTarget, shared: BenchShared) {
    this.target = target;
    this.shared = shared;
  }

  /** The connection that the rule's helpers use. */
  provider(): Promise<Provider> {
    this.#provider ??= this.anotherProvider();
    return this.#provider;
  }

  /** A connection of its own, as another process would have. */
  async anotherProvider(): Promise<Provider> {
    const provider = await this.target.connect();
    this.#connections.push(provider);
    return provider;
  }

  call(timeoutMs: number = this.target.callTimeoutMs ?? 600_000): TimedCall {
    const { logger = silentLogger } = this.shared;
    const call = timedCall(this.target.clock, { timeoutMs, logger });
    this.#calls.push(call);
    return call;
  }

  /** A request of a new sandbox. `spec` comes on top of the target's. */
  request({ spec, ...change }: TestRequestOptions = {}): CreateInstanceRequest {
    const sandboxId = change.sandboxId ?? randomBytes(32).toString("hex");
    const request = testRequest({
      podName: `conformance-${sandboxId.slice(0, 6)}`,
      clusterId: this.shared.runId,
      ...change,
      sandboxId,
      spec: { ...this.target.spec, ...spec },
    });
    this.#requests.push(request);
    return request;
  }

  /** A spec that makes as many sub-resources as the provider can. */
  fullSpec(): Partial<InstanceSpec> {
    const { abilities, volumes = [] } = this.target;
    return {
      multiNic: abilities.includes("multiNic"),
      volumes: abilities.includes("volumes") ? volumes.slice(0, 1).map((diskId) => ({ diskId })) : [],
    };
  }

  /** The next attempt of the same sandbox. */
  nextAttempt(request: CreateInstanceRequest): CreateInstanceRequest {
    const { sandboxId, podName, podNamespace, spec, userData } = request;
    const attempt = Number(request.tags[tagKeys.attempt]) + 1;
    return this.request({ sandboxId, podName, podNamespace, spec, userData, attempt });
  }

  async create(request: CreateInstanceRequest, call: TimedCall = this.call()): Promise<Instance> {
    const instance = await (await this.provider()).createInstance(request, call);
    this.#ids.set(request.token, instance.id);
    return instance;
  }

  async delete(request: DeleteInstanceRequest, call: TimedCall = this.call()): Promise<void> {
    await (await this.provider()).deleteInstance(request, call);
  }

  /** Deletes the instance of a request by its token, and by its id if that is known. */
  async remove({ token, tags }: CreateInstanceRequest, call?: TimedCall): Promise<void> {
    await this.delete({ instanceId: this.#ids.get(token) ?? "", token, tags }, call);
  }

  /** How a call ended; a failure's text is kept for the rule about secrets. */
  async outcome<Result>(promise: Promise<Result>): Promise<Outcome<Result>> {
    const outcome = await outcomeOf(promise);
    if (!outcome.ok) this.hear(outcome.error);
    return outcome;
  }

  /** Keeps what a provider said, causes included, for the rule about secrets. */
  hear(said: unknown): void {
    this.shared.said.push(inspect(said, { depth: 8 }));
  }

  /** Whether an instance exists. */
  async exists(instanceId: string): Promise<boolean> {
    if (this.target.census !== undefined)
      return (await this.target.census()).some((name) => name.includes(instanceId));
    const provider = await this.provider();
    const record = hasInventory(provider)
      ? await provider.getInstance({ instanceId }, this.call())
      : undefined;
    return record !== undefined && record.state !== "gone" && record.state !== "stopping";
  }

  async census(): Promise<readonly string[]> {
    return (await this.target.census?.()) ?? [];
  }

  /** Ends the rule as broken if more exists than before. */
  async ensureNothingNew(before: readonly string[], after: string): Promise<void> {
    const extra = (await this.census()).filter((name) => !before.includes(name));
    ensure(extra.length === 0, `${after}: left are ${extra.join(", ")}`);
  }

  /** Deletes all that the rule asked for and closes its connections. Failures are heard, and show in the report's `left`. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const request of this.#requests) await this.outcome(this.remove(request));
    for (const provider of this.#connections) await this.outcome(provider.teardown());
    for (const call of this.#calls) call[Symbol.dispose]();
  }
}
