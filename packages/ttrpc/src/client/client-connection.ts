import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { FrameConnection } from "../connection/frame-connection.ts";
import type { ConnectionTimeouts } from "../connection/frame-connection.ts";
import { completeFrame, oversizeError } from "../connection/messages.ts";
import { closedError } from "../status/errors.ts";
import { MAX_STREAM_ID, MessageType } from "../wire/frame.ts";
import type { Frame, FrameHeader } from "../wire/frame.ts";

/** One call in flight, as the connection sees it. */
export interface PendingCall {
  /** A Response or Data frame of this call. */
  onFrame(frame: Frame): void;
  /** The call cannot be answered any more; the connection has forgotten it. */
  onFailure(error: ConnectError): void;
}

/** The client end of a connection: which call a frame belongs to, and the order of stream ids. */
export class ClientConnection {
  readonly #frames: FrameConnection;
  readonly #calls = new Map<number, PendingCall>();
  #nextStreamId = 1;
  #closeCause: Error | undefined;

  constructor(duplex: Duplex, timeouts: ConnectionTimeouts) {
    this.#frames = new FrameConnection(
      duplex,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onOversize: (header) => this.#onOversize(header),
        onClose: (cause) => this.#onClose(cause),
      },
      timeouts,
    );
  }

  get frames(): FrameConnection {
    return this.#frames;
  }

  /** Why the connection ended, if it did not end in order. */
  get closeCause(): Error | undefined {
    return this.#closeCause;
  }

  /**
   * Opens a stream with a Request frame that still lacks its header. Ids are
   * given out here, where the frame is written, so they grow in the order of the wire.
   */
  open(call: PendingCall, request: Buffer, flags: number): number {
    if (this.#frames.ended) throw closedError(this.#closeCause);
    const streamId = this.#nextStreamId;
    if (streamId > MAX_STREAM_ID) {
      throw new ConnectError("all stream ids of this connection are used: connect again", Code.Unavailable);
    }
    this.sendFrame(request, { streamId, type: MessageType.Request, flags });
    this.#nextStreamId += 2;
    this.#calls.set(streamId, call);
    return streamId;
  }

  /** Sends a frame that still lacks its header. */
  sendFrame(frame: Buffer, header: Omit<FrameHeader, "length">): void {
    this.#frames.send(completeFrame(frame, header));
  }

  /** Forgets a call: what still comes for it is dropped. Nothing is sent, the protocol knows no cancellation. */
  forget(streamId: number): void {
    this.#calls.delete(streamId);
  }

  #onFrame(frame: Frame): void {
    // An unknown stream is a call that was given up; its late answer is dropped.
    this.#calls.get(frame.streamId)?.onFrame(frame);
  }

  #onOversize(header: FrameHeader): void {
    const call = this.#calls.get(header.streamId);
    this.#calls.delete(header.streamId);
    call?.onFailure(oversizeError(header.length));
  }

  #onClose(cause: Error | undefined): void {
    this.#closeCause = cause;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.onFailure(closedError(cause));
  }
}
