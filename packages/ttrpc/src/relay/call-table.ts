import type { Buffer } from "node:buffer";
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
  /** When a request that is kept arrived, on the clock of `performance.now()`: its deadline counts from then. */
  arrivedAt: number;
  /** The next one in its chain of the table. */
  next: RelayedCall | undefined;
}

/** Chains of sent calls; a power of two. Few calls are under way on one connection, and its table lives as long as it. */
const CHAINS = 16;

/**
 * The calls of one relay, and how much memory their requests hold. A call that is sent is found by its id upstream in a
 * table of its own: `Map` and `Set` of the language allocate and clean up with nearly every call when each entry lives
 * as briefly as here.
 */
export class CallTable implements Iterable<RelayedCall> {
  readonly #chains: (RelayedCall | undefined)[] = Array.from({ length: CHAINS });
  /** Those that are not sent. */
  readonly #held = new Set<RelayedCall>();
  #sent = 0;
  #retainedBytes = 0;

  get size(): number {
    return this.#sent + this.#held.size;
  }

  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  /** A call whose request cannot go out yet. */
  hold(call: RelayedCall): void {
    this.#held.add(call);
    this.#retainedBytes += call.frame?.length ?? 0;
  }

  /** A new call whose request goes out now. */
  send(call: RelayedCall, upstreamId: number): void {
    this.#retainedBytes += call.frame?.length ?? 0;
    this.#link(call, upstreamId);
  }

  has(call: RelayedCall): boolean {
    return call.phase === "sent" ? this.onUpstream(call.upstreamId) === call : this.#held.has(call);
  }

  onUpstream(upstreamId: number): RelayedCall | undefined {
    let call = this.#chains[chainOf(upstreamId)];
    while (call !== undefined && call.upstreamId !== upstreamId) call = call.next;
    return call;
  }

  /** The request of a held call goes out now. What is not needed for sending it again is let go. */
  markSent(call: RelayedCall, upstreamId: number): void {
    this.#held.delete(call);
    this.#link(call, upstreamId);
    if (call.ifLost !== "reissue") this.retain(call, undefined);
  }

  /** The upstream is gone; what was sent is back where it can be sent again or answered. */
  markLost(call: RelayedCall): void {
    this.#unlink(call);
    call.phase = "waiting";
    this.#held.add(call);
  }

  retain(call: RelayedCall, frame: Buffer | undefined): void {
    this.#retainedBytes += (frame?.length ?? 0) - (call.frame?.length ?? 0);
    call.frame = frame;
  }

  /** Forgets a call; one that is not here is left alone. */
  remove(call: RelayedCall): void {
    if (call.phase === "sent" ? !this.#unlink(call) : !this.#held.delete(call)) return;
    this.#retainedBytes -= call.frame?.length ?? 0;
  }

  /** In the order of their arrival, which is that of the caller's ids. Those that leave meanwhile are still given. */
  [Symbol.iterator](): IterableIterator<RelayedCall> {
    const calls = [...this.#held];
    for (const first of this.#chains)
      for (let call = first; call !== undefined; call = call.next) calls.push(call);
    return calls.sort((a, b) => a.downstreamId - b.downstreamId).values();
  }

  #link(call: RelayedCall, upstreamId: number): void {
    const chain = chainOf(upstreamId);
    call.phase = "sent";
    call.upstreamId = upstreamId;
    call.next = this.#chains[chain];
    this.#chains[chain] = call;
    this.#sent += 1;
  }

  #unlink(call: RelayedCall): boolean {
    const chain = chainOf(call.upstreamId);
    let before: RelayedCall | undefined;
    let at = this.#chains[chain];
    while (at !== undefined && at !== call) {
      before = at;
      at = at.next;
    }
    if (at === undefined) return false;
    if (before === undefined) this.#chains[chain] = call.next;
    else before.next = call.next;
    call.next = undefined;
    this.#sent -= 1;
    return true;
  }
}

/** Ids upstream are odd and follow each other. */
function chainOf(upstreamId: number): number {
  return (upstreamId >>> 1) & (CHAINS - 1);
}
