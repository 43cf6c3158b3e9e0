import type { Socket } from "node:net";
import type { FrameRelay } from "@peerpods/ttrpc/relay";
import type { RelaySandbox } from "../../sandbox/relay-port.ts";
import { vmLostAnswer } from "../calls/policy.ts";
import { reasonOf } from "../errors.ts";
import { dialForwarder } from "./dial.ts";
import type { DialPolicy } from "./dial.ts";
import type { Forwarder } from "./forwarder.ts";
import { IdleStream } from "./idle-stream.ts";

export type VmState = RelaySandbox["state"];

export interface VmLinkOptions {
  readonly forwarder: Forwarder;
  /** How long a lost connection is dialled again before the VM is given up. */
  readonly reconnectTimeoutMs: number;
  readonly dialPolicy: DialPolicy;
  /** Called after each change of `state`. `cause` says why the connection was lost. */
  readonly onState: (state: VmState, cause: Error | undefined) => void;
}

/** The part of a frame relay that a link feeds. */
export type LinkUser = Pick<FrameRelay, "connect" | "failPending" | "stats">;

/**
 * One connection to a pod VM, got back whenever it is lost, until it stays away for `reconnectTimeoutMs` or the two ends
 * stop trusting each other.
 *
 * States: `connecting` -> `connected` <-> `reconnecting` -> `lost`. Of `lost` there is no way back. Before somebody uses it
 * the link holds the stream itself and notices its end.
 */
export class VmLink implements Disposable {
  readonly #options: VmLinkOptions;
  readonly #closing = new AbortController();
  #state: VmState = "connecting";
  #lostReason: string | undefined;
  #idle: IdleStream | undefined;
  #stream: Socket | undefined;
  #user: LinkUser | undefined;
  #reconnects = 0;
  #endExpected = false;
  /** Answers of the agent when the present stream was handed over: more than that proves an agent behind it. */
  #answersBefore = 0;
  /** When the trouble began that no answer of the agent has ended since. */
  #troubleSince: number | undefined;

  constructor(options: VmLinkOptions) {
    this.#options = options;
  }

  get state(): VmState {
    return this.#state;
  }

  /** Why the link is `lost`. */
  get lostReason(): string | undefined {
    return this.#lostReason;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  /** Reaches the VM the first time. Rejects as {@link dialForwarder}; the link is then of no further use. */
  async open(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<void> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const { forwarder, dialPolicy: policy } = this.#options;
    this.#take(await dialForwarder(forwarder, { signal, timeoutMs: options.timeoutMs, policy }));
    this.#setState("connected", undefined);
  }

  /** Like `open`, for a link whose user is already waiting: failing means `lost`. */
  start(): void {
    if (this.#state === "connecting") void this.#dialAgain();
  }

  /** Gives the connection to its only user, now and each time it has been got back. */
  attach(user: LinkUser): void {
    this.#user = user;
    const stream = this.#idle?.release();
    this.#idle = undefined;
    if (stream !== undefined) this.#take(stream);
    else if (this.#state === "lost") user.failPending(vmLostAnswer(this.#lostReason));
  }

  /** The user's stream has ended. */
  onStreamLost(cause: Error | undefined): void {
    this.#stream = undefined;
    if (this.#closing.signal.aborted || this.#state !== "connected") return;
    const proven = (this.#user?.stats.responses ?? 0) > this.#answersBefore;
    if (proven) this.#troubleSince = undefined;
    if (this.#endExpected) {
      this.#giveUp(cause ?? new Error("the agent has ended"));
      return;
    }
    this.#setState("reconnecting", cause);
    void this.#dialAgain();
  }

  /** Ends the present stream, which leads to a new one. */
  drop(cause: Error): void {
    this.#stream?.destroy(cause);
  }

  /** From now on the other side is expected to go away, and is not dialled again. */
  expectEnd(): void {
    this.#endExpected = true;
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new Error("the link was closed"));
    this.#idle?.release().destroy();
    this.#idle = undefined;
    this.#stream?.destroy();
  }

  async #dialAgain(): Promise<void> {
    const { forwarder, dialPolicy: policy, reconnectTimeoutMs } = this.#options;
    this.#troubleSince ??= performance.now();
    const timeoutMs = this.#troubleSince + reconnectTimeoutMs - performance.now();
    const isFirst = this.#state === "connecting";
    const { signal } = this.#closing;
    try {
      if (timeoutMs <= 0) throw new Error(`the agent has been silent for ${reconnectTimeoutMs} ms`);
      const stream = await dialForwarder(forwarder, { signal, timeoutMs: Math.ceil(timeoutMs), policy });
      if (isFirst) this.#troubleSince = undefined;
      else this.#reconnects += 1;
      this.#take(stream);
      this.#setState("connected", undefined);
    } catch (error) {
      if (!signal.aborted) this.#giveUp(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(stream: Socket): void {
    if (this.#closing.signal.aborted) {
      stream.destroy();
      return;
    }
    if (this.#user === undefined) {
      this.#idle = new IdleStream(stream, (cause) => {
        this.#idle = undefined;
        this.onStreamLost(cause);
      });
      return;
    }
    this.#stream = stream;
    this.#answersBefore = this.#user.stats.responses;
    // It was paused by hand, which a new reader does not undo; it flows from the next turn on.
    stream.resume();
    this.#user.connect(stream);
  }

  #giveUp(cause: Error): void {
    this.#lostReason = reasonOf(cause);
    this.#setState("lost", cause);
    this.#user?.failPending(vmLostAnswer(this.#lostReason));
  }

  #setState(state: VmState, cause: Error | undefined): void {
    this.#state = state;
    this.#options.onState(state, cause);
  }
}
