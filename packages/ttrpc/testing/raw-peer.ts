import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { FrameDecoder, MessageType, decodeResponse, encodeFrame, encodeRequest } from "../src/index.ts";
import type { Frame, RequestEnvelope } from "../src/index.ts";

/** The other end of a connection by hand: sends whatever bytes a test wants and shows each frame that comes back. */
export class RawPeer {
  readonly #stream: Duplex;
  readonly #arrived: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  /** Resolves when the other side has ended the connection. */
  readonly ended: Promise<void>;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const decoder = new FrameDecoder({
      onFrame: (frame) => {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#arrived.push(frame);
        else waiting(frame);
      },
      onOversize: ({ length }) => {
        throw new Error(`the other side sent a frame of ${length} bytes`);
      },
    });
    stream.on("data", (chunk: Buffer) => decoder.push(chunk));
    stream.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      stream.once("end", resolve);
      stream.once("close", resolve);
    });
  }

  send(...chunks: Uint8Array[]): void {
    this.#stream.write(Buffer.concat(chunks));
  }

  /** The next frame in wire order; the test's own time limit ends the wait. */
  frame(): Promise<Frame> {
    const arrived = this.#arrived.shift();
    return arrived === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(arrived);
  }

  /** The next frame, as the response it must be: `3: code message` or `3: ok <payload as hex>`. */
  async response(): Promise<string> {
    const { type, streamId, body } = await this.frame();
    if (type !== MessageType.Response) return `${streamId}: type ${type}`;
    const { status, payload } = decodeResponse(body);
    return status === undefined || status.code === 0
      ? `${streamId}: ok ${Buffer.from(payload).toString("hex")}`
      : `${streamId}: ${status.code} ${status.message}`;
  }

  close(): void {
    this.#stream.destroy();
  }
}

export const ECHO_SERVICE = "peerpods.ttrpc.testing.v1.Echo";

/** A Request frame for the echo service, any field replaced. */
export function requestFrame(
  streamId: number,
  method: string,
  options: Partial<RequestEnvelope> & { readonly flags?: number } = {},
): Buffer {
  const { flags = 0, ...fields } = options;
  const envelope = {
    service: ECHO_SERVICE,
    method,
    payload: Buffer.alloc(0),
    timeoutNano: 0n,
    metadata: [],
    ...fields,
  };
  return encodeFrame({ streamId, type: MessageType.Request, flags }, encodeRequest(envelope));
}

/** A Data frame. */
export function dataFrame(streamId: number, text: string, flags = 0): Buffer {
  return encodeFrame({ streamId, type: MessageType.Data, flags }, Buffer.from(text, "hex"));
}

/** Any frame with any type. */
export function anyFrame(
  header: { streamId: number; type: number; flags?: number },
  body = Buffer.alloc(0),
): Buffer {
  const frame = encodeFrame({ streamId: header.streamId, type: 1, flags: header.flags ?? 0 }, body);
  frame[8] = header.type;
  return frame;
}
