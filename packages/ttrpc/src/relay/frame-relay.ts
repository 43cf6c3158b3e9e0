import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Code } from "@connectrpc/connect";
import { FRAME_HEADER_LENGTH, clearFlags, setStreamId } from "../wire/frame.ts";
import type { Frame, Span } from "../wire/frame.ts";
import { CallTable } from "./call-table.ts";
import type { RelayedCall } from "./call-table.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { answerFrame, answerOf, editRequest, timeLeft } from "./own-frames.ts";
import { Peer, Upstream } from "./peer.ts";
import { RequestSide } from "./request-side.ts";
import type { Accepted, RequestPort } from "./request-side.ts";
import type { ResponsePort } from "./response-side.ts";
import { settingsOf } from "./settings.ts";
import type { FrameRelaySettings } from "./settings.ts";
import { guardAgainstStalls } from "./stall-guard.ts";
import type { Answer, FrameRelay, FrameRelayOptions, FrameRelayStats, RequestSummary } from "./types.ts";

/**
 * Joins a client connection to a server connection that may be replaced; see {@link FrameRelay} for what it does.
 * `downstream` is a connected stream that nobody else reads; it is read at once, an upstream follows by `connect`.
 */
export function createFrameRelay(downstream: Duplex, options: FrameRelayOptions = {}): FrameRelay {
  return new StreamFrameRelay(downstream, settingsOf(options));
}

const deadlineOver: Answer = { code: Code.DeadlineExceeded, message: "context deadline exceeded" };

class StreamFrameRelay implements FrameRelay, RequestPort, ResponsePort {
  readonly calls = new CallTable();
  readonly #settings: FrameRelaySettings;
  readonly #downstream: Peer<RequestSide>;
  readonly #closing = new AbortController();
  readonly #closed = Promise.withResolvers<Error | undefined>();
  readonly #stopGuards: (() => void)[] = [];
  #upstream: Upstream | undefined;
  /** The upstream that the request in progress began to go to. */
  #piecesTo: Upstream | undefined;
  #counts = { responses: 0, answeredHere: 0, reissued: 0, bytesUp: 0 };

  constructor(downstream: Duplex, settings: FrameRelaySettings) {
    this.#settings = settings;
    this.#downstream = new Peer(downstream, new RequestSide(this), RequestSide.decoderOptions);
    this.#downstream.start(
      () => this.#pump(),
      () => this.close(),
    );
    this.#stopGuards.push(
      guardAgainstStalls(() => this.#peers(), settings.frameTimeoutMs),
      this.#guardFirstFrame(),
    );
  }

  get connected(): boolean {
    return this.#upstream !== undefined;
  }

  get closed(): Promise<Error | undefined> {
    return this.#closed.promise;
  }

  get stats(): FrameRelayStats {
    return {
      ...this.#counts,
      requests: this.#downstream.side.requests,
      responses: this.#counts.responses + (this.#upstream?.side.responses ?? 0),
      pending: this.calls.size,
      retainedBytes: this.calls.retainedBytes,
      bytesUp: this.#counts.bytesUp + (this.#upstream?.writer.bytes ?? 0),
      bytesDown: this.#downstream.writer.bytes,
    };
  }

  connect(stream: Duplex): void {
    if (this.#closing.signal.aborted) {
      stream.destroy();
      return;
    }
    this.#loseUpstream();
    const upstream = new Upstream(stream, this);
    this.#upstream = upstream;
    upstream.start(
      () => this.#pump(),
      () => this.#onUpstreamGone(upstream),
    );
    for (const call of this.calls) if (call.phase === "waiting") this.#send(call, upstream);
    this.#pump();
  }

  failPending(answer: Answer): void {
    if (this.connected) return;
    for (const call of this.calls) {
      if (call.phase === "waiting") this.settle(call, answer);
      else call.givenUp = answer;
    }
    this.#pump();
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new DOMException("the connection was closed", "AbortError"));
    for (const stop of this.#stopGuards) stop();
    const ends = this.#peers().map((peer) => ended(peer.stream));
    for (const peer of this.#peers()) peer.end();
    void Promise.all(ends).then(() => this.#closed.resolve(this.#downstream.error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  // What the downstream side asks for.

  decide(request: RequestSummary) {
    return this.#settings.onRequest(request);
  }

  hasRoom(): boolean {
    return this.calls.size < this.#settings.maxPendingCalls;
  }

  answer(streamId: number, answer: Answer): void {
    this.#counts.answeredHere += 1;
    this.downstream.own(() => answerFrame(streamId, answer));
  }

  submit(frame: Frame, decision: Accepted): void {
    const call = newCall(frame.streamId, decision);
    if (this.#upstream === undefined || decision.action === "edit") {
      this.#hold(call, frame, decision);
      return;
    }
    if (call.ifLost === "reissue") keepRequest(call, frame);
    this.#passOn(call, frame, this.#upstream);
    this.#upstream.writer.frame(frame);
  }

  begin(head: Frame, decision: Accepted): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined) return false;
    this.#passOn(newCall(head.streamId, decision), head, upstream);
    upstream.writer.begin(head);
    this.#piecesTo = upstream;
    return true;
  }

  piece(piece: Span, isLast: boolean): void {
    // The rest of a request whose upstream was lost belongs to a call that has failed.
    if (this.#piecesTo === this.#upstream) this.#piecesTo?.writer.piece(piece, isLast);
    if (isLast) this.#piecesTo = undefined;
  }

  // What the upstream side asks for.

  get downstream(): FrameWriter {
    return this.#downstream.writer;
  }

  get maxHeldBytes(): number {
    return this.#settings.maxHeldResponseBytes;
  }

  settle(call: RelayedCall, answer: Answer): void {
    if (!this.calls.has(call)) return;
    this.calls.remove(call);
    this.answer(call.downstreamId, answer);
  }

  /** Gives a request its id upstream, in place: it goes out as it came. */
  #passOn(call: RelayedCall, { bytes, start }: Frame, upstream: Upstream): void {
    const upstreamId = upstream.nextStreamId();
    this.calls.send(call, upstreamId);
    setStreamId(bytes, upstreamId, start);
    clearFlags(bytes, start);
  }

  /** Keeps a request that cannot go out now: it waits for an upstream, or is edited first. */
  #hold(call: RelayedCall, frame: Frame, decision: Accepted): void {
    let left: number | undefined;
    try {
      left = timeLeft(frame.body);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.answer(call.downstreamId, {
        code: Code.InvalidArgument,
        message: `unmarshal request error: ${reason}`,
      });
      return;
    }
    const kept = keepRequest(call, frame);
    this.calls.hold(call);
    if (decision.action === "edit") void this.#edit(call, kept, { ...decision, left });
  }

  async #edit(
    call: RelayedCall,
    frame: Buffer,
    { edit, left }: Extract<Accepted, { readonly action: "edit" }> & { readonly left: number | undefined },
  ): Promise<void> {
    call.phase = "editing";
    try {
      const edited = await editRequest(frame, edit, this.#signalFor(left));
      this.calls.retain(call, edited);
      call.phase = "waiting";
      if (this.#upstream !== undefined) this.#send(call, this.#upstream);
      else if (call.givenUp !== undefined) this.settle(call, call.givenUp);
    } catch (error) {
      this.settle(call, answerOf(error));
    }
    this.#pump();
  }

  #signalFor(leftMs: number | undefined): AbortSignal {
    if (leftMs === undefined) return this.#closing.signal;
    const left = Math.min(Math.max(0, Math.ceil(leftMs)), 2 ** 31 - 1);
    return AbortSignal.any([this.#closing.signal, AbortSignal.timeout(left)]);
  }

  /** Sends a held request, as soon as no other one is half written. */
  #send(call: RelayedCall, upstream: Upstream): void {
    upstream.writer.own(() => {
      const { frame } = call;
      if (frame === undefined || !this.calls.has(call)) return undefined;
      if (isOverdue(call, frame)) {
        this.settle(call, deadlineOver);
        return undefined;
      }
      if (call.upstreamId > 0) this.#counts.reissued += 1;
      const streamId = upstream.nextStreamId();
      setStreamId(frame, streamId);
      clearFlags(frame);
      this.calls.markSent(call, streamId);
      return frame;
    });
  }

  #onUpstreamGone(upstream: Upstream): void {
    if (this.#upstream !== upstream || this.#closing.signal.aborted) return;
    this.#loseUpstream();
    this.#settings.onUpstreamLost(upstream.error);
  }

  #loseUpstream(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    this.#counts.responses += upstream.side.responses;
    this.#counts.bytesUp += upstream.writer.bytes;
    upstream.end();
    if (!this.downstream.atBoundary) {
      this.#downstream.fail(new Error("the upstream connection was lost in the middle of a response"));
      return;
    }
    for (const call of this.calls) {
      if (call.phase !== "sent") continue;
      this.calls.markLost(call);
      if (call.ifLost === "reissue") continue;
      this.settle(call, call.ifLost === "fail" ? this.#settings.lostAnswer : call.ifLost);
    }
    this.#pump();
  }

  /** After every change: hands out what is to be written, and reads from each side only as fast as the other takes. */
  #pump(): void {
    const upstream = this.#upstream;
    this.downstream.flush();
    upstream?.writer.flush();
    const { full, crowded } = this.downstream;
    const retainsTooMuch = this.calls.retainedBytes > this.#settings.maxRetainedBytes;
    this.#downstream.hold(full || crowded || retainsTooMuch || (upstream?.writer.full ?? false));
    upstream?.hold(full);
  }

  #peers(): readonly (Peer<RequestSide> | Upstream)[] {
    return this.#upstream === undefined ? [this.#downstream] : [this.#downstream, this.#upstream];
  }

  #guardFirstFrame(): () => void {
    const { firstFrameTimeoutMs } = this.#settings;
    if (firstFrameTimeoutMs === 0) return () => undefined;
    const timer = setTimeout(() => {
      const complete = this.#downstream.frames - (this.#downstream.midFrame ? 1 : 0);
      if (complete > 0) return;
      this.#downstream.fail(new Error(`no frame arrived within ${firstFrameTimeoutMs} ms`));
    }, firstFrameTimeoutMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}

function newCall(downstreamId: number, decision: Accepted): RelayedCall {
  return {
    downstreamId,
    ifLost: decision.ifLost ?? "fail",
    phase: "waiting",
    upstreamId: 0,
    frame: undefined,
    givenUp: undefined,
    arrivedAt: 0,
    next: undefined,
  };
}

/** Keeps the request of a call that may be sent later, or once more. */
function keepRequest(call: RelayedCall, frame: Frame): Buffer {
  const { raw } = frame;
  call.frame = raw.buffer.byteLength > 2 * raw.length ? copyOf(raw) : raw;
  call.arrivedAt = performance.now();
  return call.frame;
}

/** A copy alone in its memory: a view would keep its whole chunk, or Node's shared 8 KiB, as long as the call lives. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** Whether nobody waits any more for the answer to a kept request. What cannot be decoded is the server's to refuse. */
function isOverdue({ arrivedAt }: RelayedCall, frame: Buffer): boolean {
  try {
    const left = timeLeft(frame.subarray(FRAME_HEADER_LENGTH));
    return left !== undefined && arrivedAt + left <= performance.now();
  } catch {
    return false;
  }
}

function ended(stream: Duplex): Promise<void> {
  return stream.closed
    ? Promise.resolve()
    : new Promise((resolve) => void stream.once("close", () => resolve()));
}
