import type { Answer, IfLost } from "./types.ts";

/**
 * One call between its request and its answer.
 *
 * - `editing`: its request is being changed; nothing of it is upstream
 * - `waiting`: complete, to be sent on the next upstream (or when the frame in progress ends)
 * - `sent`: on the present upstream, under `upstreamId`
 */
export interface RelayedCall {
  readonly downstreamId: number;
  readonly ifLost: IfLost;
  phase: "editing" | "waiting" | "sent";
  upstreamId: number;
  /** The request frame, when it had to be gathered. Kept after sending only to send it again. */
  frame: Buffer | undefined;
  /** Set when waiting for an upstream was given up while the request was still being edited. */
  givenUp: Answer | undefined;
  /** When the caller stops waiting, on the clock of `performance.now()`. */
  expiresAt: number | undefined;
}

/** The calls of one relay in the order of their arrival, and how much memory their requests hold. */
export class CallTable implements Iterable<RelayedCall> {
  readonly #calls = new Set<RelayedCall>();
  readonly #byUpstreamId = new Map<number, RelayedCall>();
  #retainedBytes = 0;

  get size(): number {
    return this.#calls.size;
  }

  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  add(call: RelayedCall): void {
    this.#calls.add(call);
    this.#retainedBytes += call.frame?.length ?? 0;
    if (call.phase === "sent") this.#byUpstreamId.set(call.upstreamId, call);
  }

  has(call: RelayedCall): boolean {
    return this.#calls.has(call);
  }

  onUpstream(upstreamId: number): RelayedCall | undefined {
    return this.#byUpstreamId.get(upstreamId);
  }

  /** The call's request goes out now. What is not needed for sending it again is let go. */
  markSent(call: RelayedCall, upstreamId: number): void {
    call.phase = "sent";
    call.upstreamId = upstreamId;
    this.#byUpstreamId.set(upstreamId, call);
    if (call.ifLost !== "reissue") this.retain(call, undefined);
  }

  /** The upstream is gone; what was sent is back where it can be sent again or answered. */
  markLost(call: RelayedCall): void {
    this.#byUpstreamId.delete(call.upstreamId);
    call.phase = "waiting";
  }

  retain(call: RelayedCall, frame: Buffer | undefined): void {
    this.#retainedBytes += (frame?.length ?? 0) - (call.frame?.length ?? 0);
    call.frame = frame;
  }

  remove(call: RelayedCall): void {
    if (!this.#calls.delete(call)) return;
    this.#retainedBytes -= call.frame?.length ?? 0;
    if (call.phase === "sent") this.#byUpstreamId.delete(call.upstreamId);
  }

  [Symbol.iterator](): IterableIterator<RelayedCall> {
    return this.#calls.values();
  }
}
