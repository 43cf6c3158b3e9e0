import type { Buffer } from "node:buffer";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { MethodImplSpec } from "@connectrpc/connect";
import { watchAbort } from "../connection/call-abort.ts";
import { decodeMessage, encodeMessage, frameOf, oversizeError } from "../connection/messages.ts";
import { MessageQueue } from "../connection/message-queue.ts";
import type { StreamBufferLimits } from "../connection/message-queue.ts";
import { statusFromError } from "../status/errors.ts";
import { FRAME_HEADER_LENGTH, FrameFlag, MAX_MESSAGE_LENGTH, MessageType } from "../wire/frame.ts";
import type { Frame, FrameHeader } from "../wire/frame.ts";
import type { RequestEnvelope } from "../wire/request.ts";
import { encodeResult, encodeStatus } from "../wire/response.ts";
import { CallContext } from "./handler-context.ts";

/** What a call needs of its connection. */
export interface CallPort {
  /** Sends a frame that still lacks its header. */
  sendFrame(frame: Buffer, header: Omit<FrameHeader, "length">): void;
  /** Resolves when there is room to send more, or the peer is gone. */
  writable(): Promise<void>;
  /** Stops reading from the connection; returns what lets it go on. */
  hold(): () => void;
  /** The stream is over: frames for it are those of an unknown one from now on. */
  forget(streamId: number): void;
}

export interface ServerCallInit {
  readonly port: CallPort;
  readonly streamId: number;
  readonly spec: MethodImplSpec;
  readonly request: RequestEnvelope;
  /** Flags of the Request frame. */
  readonly flags: number;
  readonly limits: StreamBufferLimits;
}

const NOTHING = new Uint8Array(0);
const END_OF_STREAM = FrameFlag.RemoteClosed | FrameFlag.NoData;

/** One call on the server: runs its handler, and answers exactly once unless the connection ends first. */
export class ServerCall {
  readonly #port: CallPort;
  readonly #streamId: number;
  readonly #spec: MethodImplSpec;
  readonly #context: CallContext;
  /** Messages of a streaming client. */
  readonly #input: MessageQueue | undefined;
  #inputClosed = false;
  #stopWatch: (() => void) | undefined;
  #finished = false;

  constructor(init: ServerCallInit) {
    const { port, streamId, spec, request, flags, limits } = init;
    this.#port = port;
    this.#streamId = streamId;
    this.#spec = spec;
    const timeoutMs = request.timeoutNano === 0n ? undefined : Number(request.timeoutNano) / 1e6;
    this.#context = new CallContext(spec.method, request.metadata, timeoutMs);
    if (spec.kind === "client_streaming" || spec.kind === "bidi_streaming") {
      this.#input = new MessageQueue({
        limits,
        hold: () => port.hold(),
        onStall: (error) => this.fail(error),
      });
      if (request.payload.length > 0) this.#input.push(request.payload);
      if ((flags & FrameFlag.RemoteOpen) === 0) this.#closeInput();
    }
    this.#stopWatch = watchAbort({ timeoutMs }, (error) => this.fail(error));
  }

  /** Whether the call was answered or abandoned; its deadline may be over from the start. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Resolves when the handler has returned, which may be after the call was answered; never rejects. */
  async run(payload: Uint8Array): Promise<void> {
    if (this.#finished) return;
    try {
      await this.#invoke(payload);
    } catch (error) {
      this.fail(error);
    }
  }

  /** A Data frame of this call. */
  onData(frame: Frame): void {
    const isClose = (frame.flags & FrameFlag.RemoteClosed) !== 0;
    if (this.#input === undefined) {
      // Some clients of a server-streaming call close their side with a frame of its own.
      if (this.#spec.kind === "server_streaming" && isClose && frame.length === 0) return;
      this.#refuse("data frame on a stream that takes no data");
    } else if (this.#inputClosed) this.#refuse("data frame after the end of the client's data");
    else if (isClose && frame.length > 0) this.#refuse("data close message cannot include data");
    else if (isClose) this.#closeInput();
    else if ((frame.flags & FrameFlag.NoData) === 0) this.#input.push(frame.body);
  }

  /** Answers with the status that stands for `error`, and cancels the handler. Without effect once answered. */
  fail(error: unknown): void {
    if (this.#finished) return;
    this.#answer(encodeStatus(statusFromError(error), FRAME_HEADER_LENGTH));
    this.#cancel(ConnectError.from(error));
  }

  /** Cancels the handler without an answer: the caller is gone. */
  abandon(reason: ConnectError): void {
    this.#finish();
    this.#cancel(reason);
  }

  #cancel(reason: ConnectError): void {
    this.#context.abort(reason);
    this.#input?.abort(reason);
  }

  #refuse(message: string): void {
    this.fail(new ConnectError(message, Code.InvalidArgument));
  }

  #closeInput(): void {
    this.#inputClosed = true;
    this.#input?.end();
  }

  async #invoke(payload: Uint8Array): Promise<void> {
    const spec = this.#spec;
    switch (spec.kind) {
      case "unary":
        this.#answerMessage(await spec.impl(decodeMessage(spec.method.input, payload), this.#context));
        return;
      case "client_streaming":
        this.#answerMessage(await spec.impl(this.#messages(spec.method.input), this.#context));
        return;
      case "server_streaming":
        await this.#sendAll(spec.impl(decodeMessage(spec.method.input, payload), this.#context));
        return;
      case "bidi_streaming":
        await this.#sendAll(spec.impl(this.#messages(spec.method.input), this.#context));
        return;
    }
  }

  async *#messages<I extends DescMessage>(schema: I): AsyncGenerator<MessageShape<I>, undefined> {
    if (this.#input !== undefined) for await (const bytes of this.#input) yield decodeMessage(schema, bytes);
    return undefined;
  }

  #answerMessage(message: MessageInitShape<DescMessage>): void {
    if (this.#finished) return;
    this.#answer(encodeResult(encodeMessage(this.#spec.method.output, message), FRAME_HEADER_LENGTH));
    this.#context.complete();
  }

  /** Leaving the loop when the call is over lets the handler's generator clean up. */
  async #sendAll(messages: AsyncIterable<MessageInitShape<DescMessage>>): Promise<void> {
    for await (const message of messages) {
      if (this.#finished) return;
      this.#sendData(encodeMessage(this.#spec.method.output, message), 0);
      await this.#port.writable();
    }
    if (this.#finished) return;
    this.#sendData(NOTHING, END_OF_STREAM);
    this.#finish();
    this.#context.complete();
  }

  #sendData(message: Uint8Array, flags: number): void {
    this.#port.sendFrame(frameOf(message), { streamId: this.#streamId, type: MessageType.Data, flags });
  }

  /** An answer above the limit becomes RESOURCE_EXHAUSTED; it never costs the connection. */
  #answer(frame: Buffer): void {
    const length = frame.length - FRAME_HEADER_LENGTH;
    const fitting =
      length > MAX_MESSAGE_LENGTH
        ? encodeStatus(statusFromError(oversizeError(length)), FRAME_HEADER_LENGTH)
        : frame;
    this.#port.sendFrame(fitting, { streamId: this.#streamId, type: MessageType.Response, flags: 0 });
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.#stopWatch?.();
    this.#port.forget(this.#streamId);
  }
}
