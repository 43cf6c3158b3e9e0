import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { watchAbort } from "../connection/call-abort.ts";
import { decodeMessage, encodeMessage, internalError } from "../connection/messages.ts";
import { errorFromStatus } from "../status/errors.ts";
import { MessageType } from "../wire/frame.ts";
import type { Frame } from "../wire/frame.ts";
import { decodeResponse } from "../wire/response.ts";
import { deadlineOf, encodeRequestFrame, protocolError } from "./call.ts";
import type { CallInit } from "./call.ts";
import type { ClientConnection, PendingCall } from "./client-connection.ts";

/** Makes one unary call and resolves with its answer; every failure is a `ConnectError`. */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  connection: ClientConnection,
  method: DescMethodUnary<I, O>,
  init: CallInit & { readonly message: MessageInitShape<I> },
): Promise<MessageShape<O>> {
  const request = encodeMessage(method.input, init.message);
  const payload = await new Promise<Uint8Array>((resolve, reject) => {
    new UnaryCall(connection, init, { resolve, reject }).start(request);
  });
  return decodeMessage(method.output, payload);
}

interface Outcome {
  resolve(payload: Uint8Array): void;
  reject(error: unknown): void;
}

class UnaryCall implements PendingCall {
  readonly #connection: ClientConnection;
  readonly #init: CallInit;
  readonly #outcome: Outcome;
  readonly #deadline: number | undefined;
  #stopWatch: (() => void) | undefined;
  #streamId: number | undefined;
  #settled = false;

  constructor(connection: ClientConnection, init: CallInit, outcome: Outcome) {
    this.#connection = connection;
    this.#init = init;
    this.#outcome = outcome;
    this.#deadline = deadlineOf(init);
  }

  start(request: Uint8Array): void {
    this.#stopWatch = watchAbort(this.#init, (error) => this.onFailure(error));
    if (this.#settled) return;
    // When the peer is slower than its callers they wait, so that requests do not pile up here.
    this.#connection.frames.whenWritable(() => {
      if (!this.#settled) this.#open(request);
    });
  }

  onFrame(frame: Frame): void {
    if (frame.type !== MessageType.Response) {
      this.onFailure(protocolError(`frame of type ${frame.type} on a unary call`));
      return;
    }
    try {
      const { status, payload } = decodeResponse(frame.body);
      this.#settle();
      if (status === undefined || status.code === 0) this.#outcome.resolve(payload);
      else this.#outcome.reject(errorFromStatus(status));
    } catch (error) {
      this.onFailure(internalError("ttrpc: error unmarshalling response", error));
    }
  }

  onFailure(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#outcome.reject(error);
  }

  #open(request: Uint8Array): void {
    try {
      const frame = encodeRequestFrame(this.#init, request, this.#deadline);
      this.#streamId = this.#connection.open(this, frame, 0);
    } catch (error) {
      this.onFailure(error);
    }
  }

  #settle(): void {
    this.#settled = true;
    this.#stopWatch?.();
    if (this.#streamId !== undefined) this.#connection.forget(this.#streamId);
  }
}
