import type { Socket } from "node:net";
import { createFrameRelay } from "@peerpods/ttrpc/relay";
import type { FrameRelay, FrameRelayStats, RequestDecision, RequestSummary } from "@peerpods/ttrpc/relay";
import type { CreateContainerFacts } from "../calls/create-container.ts";
import { decideRequest, interruptedAnswer } from "../calls/policy.ts";
import type { RequestObserver } from "../calls/policy.ts";
import type { VmLink } from "../vm/link.ts";
import { SilenceWatch } from "../vm/silence-watch.ts";

export interface ShimConnectionOptions {
  readonly facts: CreateContainerFacts;
  readonly silenceTimeoutMs: number;
  /** The link this connection uses from its first request on; its stream losses are reported to it. */
  readonly takeLink: () => VmLink;
  /** The first request has arrived: this is a shim, not just somebody who connected. */
  readonly onActive: () => void;
  /** The shim starts a container. */
  readonly onStartContainer: () => void;
  /** The connection has ended and holds nothing any more. */
  readonly onClosed: () => void;
}

/**
 * One connection on an agent socket. A VM connection is taken only when the first request comes: the Rust shim
 * opens a second connection on which it never says anything.
 */
export class ShimConnection implements Disposable {
  readonly #options: ShimConnectionOptions;
  readonly #relay: FrameRelay;
  readonly #watch: SilenceWatch;
  readonly #observer: RequestObserver;
  #link: VmLink | undefined;

  constructor(socket: Socket, options: ShimConnectionOptions) {
    this.#options = options;
    // The relay treats an ended stream as closed; an error needs no more than that.
    socket.on("error", () => undefined);
    this.#watch = new SilenceWatch({
      limitMs: options.silenceTimeoutMs,
      answers: () => this.stats.responses,
      isBlocked: () => socket.writableNeedDrain,
      onSilent: () => this.#link?.drop(new Error("the agent does not answer health checks")),
    });
    this.#observer = {
      onCheckSent: () => this.#watch.checkSent(),
      onDestroySandbox: () => this.#link?.expectEnd(),
      onStartContainer: options.onStartContainer,
    };
    this.#relay = createFrameRelay(socket, {
      onRequest: (request) => this.#decide(request),
      onUpstreamLost: (cause) => {
        this.#watch.reset();
        this.#link?.onStreamLost(cause);
      },
      lostAnswer: interruptedAnswer,
    });
    void this.#relay.closed.then(() => this.#onClosed());
  }

  /** Whether a request has arrived. */
  get active(): boolean {
    return this.#link !== undefined;
  }

  get link(): VmLink | undefined {
    return this.#link;
  }

  get stats(): FrameRelayStats {
    return this.#relay.stats;
  }

  /** Ends the connection and the VM connection it uses; `onClosed` follows. */
  [Symbol.dispose](): void {
    this.#relay.close();
  }

  #decide(request: RequestSummary): RequestDecision {
    const link = (this.#link ??= this.#takeLink());
    return decideRequest(request, link, { observer: this.#observer, facts: this.#options.facts });
  }

  #takeLink(): VmLink {
    const link = this.#options.takeLink();
    // The frame relay is in the middle of a frame and cannot take an upstream now.
    queueMicrotask(() => {
      link.attach(this.#relay);
      this.#options.onActive();
    });
    return link;
  }

  #onClosed(): void {
    this.#watch[Symbol.dispose]();
    this.#link?.[Symbol.dispose]();
    this.#options.onClosed();
  }
}
