import type { DescMessage, DescMethodStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { watchAbort } from "../connection/call-abort.ts";
import { MessageQueue } from "../connection/message-queue.ts";
import type { StreamBufferLimits } from "../connection/message-queue.ts";
import { decodeMessage, encodeMessage, frameOf, internalError } from "../connection/messages.ts";
import { errorFromStatus } from "../status/errors.ts";
import { FrameFlag, MessageType } from "../wire/frame.ts";
import type { Frame } from "../wire/frame.ts";
import { decodeResponse } from "../wire/response.ts";
import { deadlineOf, encodeRequestFrame, protocolError } from "./call.ts";
import type { CallInit } from "./call.ts";
import type { ClientConnection, PendingCall } from "./client-connection.ts";

const NOTHING = new Uint8Array(0);

export interface StreamingCallInit<I extends DescMessage> extends CallInit {
  readonly messages: AsyncIterable<MessageInitShape<I>>;
  readonly limits: StreamBufferLimits;
}

/**
 * Makes one call of any streaming kind. The returned messages end with the call; its failure is thrown where they are
 * read. Leaving the loop early gives the call up on this side; the server is not told, ttrpc has no frame for that.
 */
export async function callStreaming<I extends DescMessage, O extends DescMessage>(
  connection: ClientConnection,
  method: DescMethodStreaming<I, O>,
  init: StreamingCallInit<I>,
): Promise<AsyncIterableIterator<MessageShape<O>>> {
  const call = new StreamingCall(connection, method, init);
  await call.start();
  return decodeMessages(method.output, call);
}

async function* decodeMessages<O extends DescMessage>(
  schema: O,
  call: { readonly received: MessageQueue; finish(): void },
): AsyncGenerator<MessageShape<O>, undefined> {
  try {
    for await (const bytes of call.received) yield decodeMessage(schema, bytes);
  } finally {
    call.finish();
  }
  return undefined;
}

class StreamingCall<I extends DescMessage = DescMessage> implements PendingCall {
  readonly received: MessageQueue;
  readonly #connection: ClientConnection;
  readonly #method: DescMethodStreaming<I>;
  readonly #init: StreamingCallInit<I>;
  readonly #input: AsyncIterator<MessageInitShape<I>>;
  readonly #deadline: number | undefined;
  #stopWatch: (() => void) | undefined;
  #streamId = 0;
  #finished = false;

  constructor(connection: ClientConnection, method: DescMethodStreaming<I>, init: StreamingCallInit<I>) {
    this.#connection = connection;
    this.#method = method;
    this.#init = init;
    this.#input = init.messages[Symbol.asyncIterator]();
    this.#deadline = deadlineOf(init);
    this.received = new MessageQueue({
      limits: init.limits,
      hold: () => connection.frames.hold(),
      onStall: () => this.#release(),
    });
  }

  /** Resolves when the request is sent or cannot be; a failure is thrown to the reader of `received`. */
  async start(): Promise<void> {
    this.#stopWatch = watchAbort(this.#init, (error) => this.onFailure(error));
    try {
      if (this.#method.methodKind === "server_streaming") {
        await this.#open(await this.#singleInput(), FrameFlag.RemoteClosed);
        return;
      }
      await this.#open(NOTHING, FrameFlag.RemoteOpen);
    } catch (error) {
      this.onFailure(error);
      return;
    }
    // The input may take as long as the call.
    this.#sendInput().catch((error: unknown) => this.onFailure(error));
  }

  onFrame(frame: Frame): void {
    if (frame.type === MessageType.Data) {
      if ((frame.flags & FrameFlag.NoData) === 0) this.received.push(frame.body);
      if ((frame.flags & FrameFlag.RemoteClosed) !== 0) this.#end();
      return;
    }
    if (frame.type !== MessageType.Response) {
      this.onFailure(protocolError(`frame of type ${frame.type} on a streaming call`));
      return;
    }
    try {
      const { status, payload } = decodeResponse(frame.body);
      if (status !== undefined && status.code !== 0) {
        this.#end(errorFromStatus(status));
        return;
      }
      // The one answer to a stream of requests may be an all-default message; elsewhere an empty one is the end.
      if (payload.length > 0 || this.#method.methodKind === "client_streaming") this.received.push(payload);
      this.#end();
    } catch (error) {
      this.onFailure(internalError("ttrpc: error unmarshalling response", error));
    }
  }

  onFailure(error: unknown): void {
    this.received.abort(error);
    this.#release();
  }

  /** The reader wants no more; without effect on a call that has ended. */
  finish(): void {
    void this.received.return();
    this.#release();
  }

  /** The call has ended; what was received before is still read. */
  #end(error?: ConnectError): void {
    this.received.end(error);
    this.#release();
  }

  #release(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#stopWatch?.();
    this.#connection.forget(this.#streamId);
    // Lets the source of the input release what it holds. It may be busy, and how it ends concerns nobody any more.
    this.#input.return?.().catch(() => undefined);
  }

  async #singleInput(): Promise<Uint8Array> {
    const first = await this.#input.next();
    if (first.done === true) {
      throw new ConnectError("a server-streaming call needs one request message", Code.InvalidArgument);
    }
    return encodeMessage(this.#method.input, first.value);
  }

  async #open(payload: Uint8Array, flags: number): Promise<void> {
    await this.#connection.frames.writable();
    if (this.#finished) return;
    const frame = encodeRequestFrame(this.#init, payload, this.#deadline);
    this.#streamId = this.#connection.open(this, frame, flags);
  }

  async #sendInput(): Promise<void> {
    while (!this.#finished) {
      const next = await this.#input.next();
      if (this.#finished) return;
      if (next.done === true) {
        this.#sendData(NOTHING, FrameFlag.RemoteClosed | FrameFlag.NoData);
        return;
      }
      this.#sendData(encodeMessage(this.#method.input, next.value), 0);
      await this.#connection.frames.writable();
    }
  }

  #sendData(message: Uint8Array, flags: number): void {
    this.#connection.sendFrame(frameOf(message), { streamId: this.#streamId, type: MessageType.Data, flags });
  }
}
