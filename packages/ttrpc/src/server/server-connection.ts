import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Code } from "@connectrpc/connect";
import type { MethodImplSpec } from "@connectrpc/connect";
import { FrameConnection } from "../connection/frame-connection.ts";
import { completeFrame, oversizeError } from "../connection/messages.ts";
import { canceledError } from "../status/errors.ts";
import { FRAME_HEADER_LENGTH, MessageType, oversizeMessage } from "../wire/frame.ts";
import type { Frame, FrameHeader } from "../wire/frame.ts";
import { decodeRequest } from "../wire/request.ts";
import type { RequestEnvelope } from "../wire/request.ts";
import { encodeStatus } from "../wire/response.ts";
import type { TtrpcServerOptions } from "./options.ts";
import type { Routes } from "./router.ts";
import { ServerCall } from "./server-call.ts";
import type { CallPort } from "./server-call.ts";

/** Above this many bytes that a peer has not taken, its requests are not read. */
const MAX_BACKLOG_BYTES = 1 << 20;

/** The server end of a connection: what each frame means, in the rules and words of the Go server. */
export class ServerConnection implements CallPort {
  readonly #frames: FrameConnection;
  readonly #routes: Routes;
  readonly #options: TtrpcServerOptions;
  readonly #calls = new Map<number, ServerCall>();
  #lastStreamId = 0;
  /** Handlers that have not returned, and the bytes of their requests. */
  #running = 0;
  #requestBytes = 0;
  #draining = false;
  #backlogHeld = false;

  constructor(duplex: Duplex, routes: Routes, options: TtrpcServerOptions) {
    this.#routes = routes;
    this.#options = options;
    this.#frames = new FrameConnection(
      duplex,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onOversize: (header) => this.#onOversize(header),
        onClose: (cause) => this.#onClose(cause),
      },
      options,
    );
  }

  /** Resolves when the connection is released; never rejects. */
  get closed(): Promise<void> {
    return this.#frames.closed;
  }

  /** Cancels all handlers and ends the connection. */
  close(): void {
    this.#frames.close(undefined);
  }

  /** Refuses new calls, and ends the connection when the handlers have returned and the peer has their answers. */
  drain(): void {
    this.#draining = true;
    this.#finishIfDrained();
  }

  sendFrame(frame: Buffer, header: Omit<FrameHeader, "length">): void {
    this.#frames.send(completeFrame(frame, header));
    if (this.#frames.backlogBytes > MAX_BACKLOG_BYTES) this.#holdUntilDrained();
  }

  writable(): Promise<void> {
    return this.#frames.writable();
  }

  hold(): () => void {
    return this.#frames.hold();
  }

  forget(streamId: number): void {
    this.#calls.delete(streamId);
  }

  #onFrame(frame: Frame): void {
    const { streamId, type } = frame;
    if (streamId % 2 === 0) {
      this.#refuse(streamId, Code.InvalidArgument, "StreamID must be odd for client initiated streams");
    } else if (type === MessageType.Request) this.#onRequest(frame);
    else if (type === MessageType.Data) this.#onData(frame);
    // Anything else is ignored, as the other implementations do.
  }

  #onData(frame: Frame): void {
    const call = this.#calls.get(frame.streamId);
    if (call === undefined)
      this.#refuse(frame.streamId, Code.InvalidArgument, "StreamID is no longer active");
    else call.onData(frame);
  }

  #onRequest(frame: Frame): void {
    const { streamId } = frame;
    if (streamId <= this.#lastStreamId) {
      this.#refuse(streamId, Code.InvalidArgument, "StreamID cannot be re-used and must increment");
      return;
    }
    this.#lastStreamId = streamId;
    let request: RequestEnvelope;
    try {
      request = decodeRequest(frame.body);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#refuse(streamId, Code.InvalidArgument, `unmarshal request error: ${detail}`);
      return;
    }
    const methods = this.#routes.get(request.service);
    const spec = methods?.get(request.method);
    if (methods === undefined) this.#refuse(streamId, Code.Unimplemented, `service ${request.service}`);
    else if (spec === undefined) this.#refuse(streamId, Code.Unimplemented, `method ${request.method}`);
    else if (this.#hasRoomFor(frame)) void this.#run(spec, request, frame);
  }

  #hasRoomFor({ streamId, length }: Frame): boolean {
    const { maxCallsPerConnection = 1024, maxRequestBytesPerConnection = 64 << 20 } = this.#options;
    if (this.#draining) {
      this.#refuse(streamId, Code.Unavailable, "ttrpc: server closed");
      return false;
    }
    if (this.#running >= maxCallsPerConnection) {
      this.#refuse(streamId, Code.ResourceExhausted, `more than ${maxCallsPerConnection} calls in flight`);
      return false;
    }
    if (this.#requestBytes + length > maxRequestBytesPerConnection) {
      const limit = `more than ${maxRequestBytesPerConnection} bytes of requests in flight`;
      this.#refuse(streamId, Code.ResourceExhausted, limit);
      return false;
    }
    return true;
  }

  async #run(spec: MethodImplSpec, request: RequestEnvelope, frame: Frame): Promise<void> {
    const { streamId, flags, length } = frame;
    this.#running++;
    this.#requestBytes += length;
    const call = new ServerCall({ port: this, streamId, spec, request, flags, limits: this.#options });
    if (!call.finished) this.#calls.set(streamId, call);
    await call.run(request.payload);
    this.#running--;
    this.#requestBytes -= length;
    this.#finishIfDrained();
  }

  #onOversize(header: FrameHeader): void {
    const call = this.#calls.get(header.streamId);
    if (header.type === MessageType.Data && call !== undefined) {
      call.fail(oversizeError(header.length));
      return;
    }
    if (header.type === MessageType.Request)
      this.#lastStreamId = Math.max(this.#lastStreamId, header.streamId);
    this.#refuse(header.streamId, Code.ResourceExhausted, oversizeMessage(header.length));
  }

  /** Answers a frame that belongs to no call. */
  #refuse(streamId: number, code: Code, message: string): void {
    const frame = encodeStatus({ code, message }, FRAME_HEADER_LENGTH);
    this.sendFrame(frame, { streamId, type: MessageType.Response, flags: 0 });
  }

  #holdUntilDrained(): void {
    if (this.#backlogHeld) return;
    this.#backlogHeld = true;
    const release = this.#frames.hold();
    void this.#frames.writable().then(() => {
      this.#backlogHeld = false;
      release();
    });
  }

  #finishIfDrained(): void {
    if (this.#draining && this.#running === 0) this.#frames.finish();
  }

  #onClose(cause: Error | undefined): void {
    if (cause !== undefined) this.#options.logger?.debug({ err: cause }, "ttrpc connection ended");
    if (this.#calls.size === 0) return;
    const reason = canceledError(cause);
    for (const call of this.#calls.values()) call.abandon(reason);
  }
}
