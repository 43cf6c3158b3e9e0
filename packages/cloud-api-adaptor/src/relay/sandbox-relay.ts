import type { Socket } from "node:net";
import type { RelayOpenRequest, RelaySandbox } from "../sandbox/relay-port.ts";
import type { RelayDependencies, RelayLimits } from "./dependencies.ts";
import { bindAgentSocket } from "./shim/agent-socket.ts";
import { ShimConnection } from "./shim/connection.ts";
import { addTraffic, noTraffic, trafficOf } from "./traffic.ts";
import type { Forwarder } from "./vm/forwarder.ts";
import { VmLink } from "./vm/link.ts";
import type { VmState } from "./vm/link.ts";

/** Which state of several links stands for the sandbox: the one further left. */
const WORST_FIRST: readonly VmState[] = ["lost", "reconnecting", "connecting", "connected"];

export interface SandboxRelayOptions {
  readonly request: RelayOpenRequest;
  readonly forwarder: Forwarder;
  readonly dependencies: RelayDependencies;
  readonly limits: RelayLimits;
  /** Called after each change of `state` or `shim`. */
  readonly onChange: () => void;
}

/**
 * One sandbox: its agent socket, the connections on it, and for each a connection to the VM. The first VM connection is
 * made before any shim comes, and the first shim that speaks gets it.
 */
export class SandboxRelay implements AsyncDisposable {
  readonly #options: SandboxRelayOptions;
  readonly #resources = new AsyncDisposableStack();
  readonly #connections = new Set<ShimConnection>();
  /** The VM connection made by `open`, until a shim takes it. */
  #spare: VmLink | undefined;
  #state: VmState = "connecting";
  #shim: RelaySandbox["shim"] = "none";
  #sinceMs: number;
  #ended = noTraffic();
  #containerStarts = 0;
  #firstContainerMs: number | undefined;

  constructor(options: SandboxRelayOptions) {
    this.#options = options;
    this.#sinceMs = options.dependencies.now();
  }

  /** Binds the socket and reaches the VM. When it rejects, dispose the sandbox: it may hold some of both. */
  async open(options: { readonly signal: AbortSignal }): Promise<void> {
    const { request } = this.#options;
    options.signal.throwIfAborted();
    this.#resources.use(await bindAgentSocket(request.socketPath, (socket) => this.#accept(socket)));
    const link = this.#newLink();
    this.#spare = link;
    await link.open({ timeoutMs: request.dialTimeoutMs, signal: options.signal });
  }

  get snapshot(): RelaySandbox {
    const { sandboxId, socketPath, target } = this.#options.request;
    const live = [...this.#connections].map(trafficOf);
    return {
      sandboxId,
      socketPath,
      target,
      state: this.#state,
      shim: this.#shim,
      sinceMs: this.#sinceMs,
      ...(this.#firstContainerMs === undefined ? {} : { firstContainerMs: this.#firstContainerMs }),
      ...[...live].reduce(addTraffic, this.#ended),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection[Symbol.dispose]();
    this.#spare?.[Symbol.dispose]();
    await this.#resources.disposeAsync();
  }

  #accept(socket: Socket): void {
    if (this.#resources.disposed || !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const { dependencies, limits } = this.#options;
    const connection = new ShimConnection(socket, {
      facts: dependencies.facts,
      silenceTimeoutMs: limits.silenceTimeoutMs,
      takeLink: () => this.#takeLink(),
      onActive: () => this.#update(),
      onStartContainer: () => this.#onStartContainer(),
      onClosed: () => {
        this.#connections.delete(connection);
        this.#ended = addTraffic(this.#ended, trafficOf(connection));
        this.#update();
      },
    });
    this.#connections.add(connection);
  }

  /** The first container that is started is the pod's pause container. */
  #onStartContainer(): void {
    this.#containerStarts += 1;
    if (this.#containerStarts !== 2) return;
    this.#firstContainerMs = this.#options.dependencies.now();
    this.#options.onChange();
  }

  /** Silent connections hold a place only until somebody else needs it. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#options.limits.maxConnectionsPerSandbox) return true;
    const silent = [...this.#connections].find(({ active }) => !active);
    silent?.[Symbol.dispose]();
    return silent !== undefined && this.#connections.delete(silent);
  }

  #takeLink(): VmLink {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    const link = this.#newLink();
    link.start();
    return link;
  }

  #newLink(): VmLink {
    const { forwarder, dependencies, limits, request } = this.#options;
    const { sandboxId } = request;
    return new VmLink({
      forwarder,
      reconnectTimeoutMs: limits.reconnectTimeoutMs,
      dialPolicy: limits.dialPolicy,
      onState: (state, cause) => {
        if (state === "reconnecting") {
          dependencies.logger.warn(
            { sandboxId, err: cause },
            "the connection to the pod VM broke, getting it back",
          );
        } else if (state === "lost") {
          dependencies.logger.error({ sandboxId, err: cause }, "the connection to the pod VM is lost");
        } else {
          dependencies.logger.info({ sandboxId }, "connected to the pod VM");
        }
        this.#update();
      },
    });
  }

  /** Derives the two states from what is there, and reports when one has changed. */
  #update(): void {
    const links = [this.#spare, ...[...this.#connections].map(({ link }) => link)].filter(
      (link) => link !== undefined,
    );
    const state =
      WORST_FIRST.find((candidate) => links.some((link) => link.state === candidate)) ?? this.#state;
    const active = [...this.#connections].some((connection) => connection.active);
    const shim = active ? "connected" : this.#shim === "none" ? "none" : "gone";
    if (state === this.#state && shim === this.#shim) return;
    this.#state = state;
    this.#shim = shim;
    this.#sinceMs = this.#options.dependencies.now();
    this.#options.onChange();
  }
}
