import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import { FrameDecoder } from "../../wire/frame-decoder.ts";
import { MessageType, encodeFrame } from "../../wire/frame.ts";
import type { Frame } from "../../wire/frame.ts";
import { decodeRequest, encodeRequest } from "../../wire/request.ts";
import { decodeResponse, encodeResult } from "../../wire/response.ts";

/** One end of a connection that a test drives by raw frames. */
export class RawPeer {
  readonly stream: Duplex;
  readonly frames: Frame[] = [];
  #taken = 0;
  #wake = Promise.withResolvers<void>();
  closed = false;

  constructor(stream: Duplex) {
    this.stream = stream;
    const decoder = new FrameDecoder({
      onFrame: (frame) => {
        this.frames.push(frame);
        this.#signal();
      },
      onOversize: (header) => {
        throw new Error(`peer got ${header.length} bytes`);
      },
    });
    stream.on("data", (chunk: Buffer) => decoder.push(chunk));
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.closed = true;
      this.#signal();
    });
    stream.on("end", () => stream.destroy());
  }

  /** The next frame that has not been taken yet. */
  async next(): Promise<Frame> {
    while (this.frames.length === this.#taken) {
      if (this.closed) throw new Error("the connection closed instead of sending a frame");
      await this.#wake.promise;
    }
    return this.frames[this.#taken++]!;
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await this.#wake.promise;
  }

  async nextRequest() {
    const frame = await this.next();
    const request = decodeRequest(frame.body);
    return { id: frame.streamId, method: request.method, payload: text(request.payload), request, frame };
  }

  async nextResponse() {
    const frame = await this.next();
    const { status, payload } = decodeResponse(frame.body);
    return {
      id: frame.streamId,
      code: status?.code ?? 0,
      message: status?.message ?? "",
      payload: text(payload),
    };
  }

  request(id: number, method: string, payload: string | Uint8Array = "", timeoutNano = 0n): void {
    this.stream.write(requestFrame(id, method, payload, timeoutNano));
  }

  respond(id: number, payload: string | Uint8Array): void {
    const body = encodeResult(Buffer.from(payload));
    this.stream.write(encodeFrame({ streamId: id, type: MessageType.Response }, body));
  }

  #signal(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

export function requestFrame(
  id: number,
  method: string,
  payload: string | Uint8Array = "",
  timeoutNano = 0n,
): Buffer {
  const envelope = {
    service: "test.Service",
    method,
    payload: Buffer.from(payload),
    timeoutNano,
    metadata: [],
  };
  return encodeFrame({ streamId: id, type: MessageType.Request }, encodeRequest(envelope));
}

/** A connection in memory: the test's end and the end that is handed over. */
export function connection(): { readonly peer: RawPeer; readonly other: Duplex } {
  const [mine, other] = duplexPair();
  // Without this an end that is destroyed does not end the other one, which sockets do.
  mine.on("close", () => other.destroy());
  other.on("close", () => mine.destroy());
  return { peer: new RawPeer(mine), other };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
