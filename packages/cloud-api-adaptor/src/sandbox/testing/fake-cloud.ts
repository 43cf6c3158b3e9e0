import { isDeepStrictEqual } from "node:util";
import { ProviderError } from "@peerpods/cloud-providers";
import type {
  CallContext,
  CreateInstanceRequest,
  DeleteInstanceRequest,
  Finding,
  Instance,
  InstanceSpec,
  Placement,
  PlacementAware,
  Provider,
} from "@peerpods/cloud-providers";

interface Machine {
  readonly request: CreateInstanceRequest;
  readonly instance: Instance;
}

/** A cloud that keeps the contract to the letter and answers at once, with a place to interfere at each call. */
export class FakeCloud implements Provider, PlacementAware {
  readonly #machines = new Map<string, Machine>();
  readonly #usedTokens = new Set<string>();
  /** Zones in the order of preference; those in `full` have no capacity. */
  zones: readonly string[] = ["z1"];
  readonly full = new Set<string>();
  addresses: readonly string[] = ["198.51.100.7"];
  /** Goes on creating although the caller gave up, as a cloud does whose request is on its way. */
  ignoresAbort = false;
  /** Most machines that existed at once. */
  peak = 0;
  /** Called before the act; what it throws is the call's failure, and nothing was done. */
  before: (call: "placements" | "create" | "delete", context: CallContext) => Promise<void> = async () =>
    undefined;
  /** Called after the act; what it throws is the call's failure, although the act was done. */
  after: (call: "create" | "delete") => Promise<void> = async () => undefined;

  async placements(spec: InstanceSpec, call: CallContext): Promise<readonly Placement[]> {
    await this.before("placements", call);
    return this.zones.map((zone) => ({ instanceType: spec.instanceType || "small", zone }));
  }

  async createInstance(request: CreateInstanceRequest, call: CallContext): Promise<Instance> {
    await this.before("create", call);
    if (!this.ignoresAbort) call.signal.throwIfAborted();
    if (this.full.has(request.placement?.zone ?? "")) {
      throw new ProviderError("no_capacity", `no machine in ${request.placement?.zone}`);
    }
    const machine = this.#machines.get(request.token) ?? this.#boot(request);
    if (!isDeepStrictEqual(machine.request, request)) {
      throw new ProviderError("conflict", "the token was used for another request");
    }
    await this.after("create");
    return machine.instance;
  }

  async deleteInstance({ instanceId, token, tags }: DeleteInstanceRequest, call: CallContext): Promise<void> {
    if (!instanceId && !token) throw new ProviderError("invalid_request", "neither id nor token");
    await this.before("delete", call);
    call.signal.throwIfAborted();
    for (const [key, { instance, request }] of this.#machines) {
      if (instance.id !== instanceId && key !== token) continue;
      if (!isDeepStrictEqual(request.tags, tags))
        throw new ProviderError("conflict", "the tags are another's");
      this.#machines.delete(key);
    }
    await this.after("delete");
  }

  async configVerifier(): Promise<readonly Finding[]> {
    return [];
  }

  async teardown(): Promise<void> {
    await Promise.resolve();
  }

  get requests(): readonly CreateInstanceRequest[] {
    return [...this.#machines.values()].map(({ request }) => request);
  }

  #boot(request: CreateInstanceRequest): Machine {
    if (this.#usedTokens.has(request.token)) throw new ProviderError("conflict", "the token was used before");
    this.#usedTokens.add(request.token);
    const instance = { id: `i-${request.token}`, name: request.name, addresses: this.addresses };
    const machine = { request, instance };
    this.#machines.set(request.token, machine);
    this.peak = Math.max(this.peak, this.#machines.size);
    return machine;
  }
}
