import type { Duplex } from "node:stream";
import { Code } from "@connectrpc/connect";
import { createFrameRelay } from "@peerpods/ttrpc/relay";
import type { FrameRelay, FrameRelayStats, RequestDecision, RequestSummary } from "@peerpods/ttrpc/relay";
import type { Logger } from "pino";
import type { AgentSocket } from "./agent-socket.ts";
import type { ForwarderLimits } from "./limits.ts";

/** What a session works with. */
export interface SessionContext {
  readonly agent: AgentSocket;
  readonly limits: ForwarderLimits;
  readonly logger: Logger;
  decide(request: RequestSummary): RequestDecision;
}

/**
 * One client connection and the agent connection that belongs to it. One each, because the agent ends the calls of a
 * connection when that is closed: what a lost client was waiting for, output above all, must not be consumed for nobody.
 *
 * The agent is dialled at once, and after it was lost (it was started again) when the next call comes.
 */
export class ClientSession implements AsyncDisposable {
  readonly #context: SessionContext;
  readonly #relay: FrameRelay;
  readonly #ending = new AbortController();
  #dialing = false;
  #waitsForEvents = false;

  constructor(stream: Duplex, context: SessionContext) {
    const { limits, logger } = context;
    this.#context = context;
    this.#relay = createFrameRelay(stream, {
      onRequest: (request) => this.#onRequest(request),
      onUpstreamLost: (err) => logger.warn({ err }, "kata-agent closed the connection"),
      lostAnswer: { code: Code.Unavailable, message: "kata-agent closed the connection" },
      maxPendingCalls: limits.maxCallsPerConnection,
      firstFrameTimeoutMs: limits.firstFrameTimeoutMs,
      frameTimeoutMs: limits.frameTimeoutMs,
    });
    void this.#relay.closed.then(() => this.#ending.abort());
    this.#ensureAgent();
  }

  /** Resolves when both connections have ended, with what the client's failed with, if it did. */
  get closed(): Promise<Error | undefined> {
    return this.#relay.closed;
  }

  get stats(): FrameRelayStats {
    return this.#relay.stats;
  }

  /** Whether it has asked for the pod's out-of-memory events, which exactly one client does. */
  get waitsForEvents(): boolean {
    return this.#waitsForEvents;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#relay[Symbol.asyncDispose]();
  }

  #onRequest(request: RequestSummary): RequestDecision {
    this.#ensureAgent();
    if (request.method === "GetOOMEvent") this.#waitsForEvents = true;
    return this.#context.decide(request);
  }

  #ensureAgent(): void {
    if (this.#dialing || this.#relay.connected) return;
    this.#dialing = true;
    void this.#dial().finally(() => {
      this.#dialing = false;
    });
  }

  async #dial(): Promise<void> {
    const { agent, limits, logger } = this.#context;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(limits.agentDialTimeoutMs)]);
    try {
      this.#relay.connect(await agent.connect({ signal }));
    } catch (err) {
      if (this.#ending.signal.aborted) return;
      logger.error({ err, path: agent.path }, "kata-agent cannot be reached");
      this.#relay.failPending({
        code: Code.Unavailable,
        message: `kata-agent cannot be reached at ${agent.path}`,
      });
    }
  }
}
