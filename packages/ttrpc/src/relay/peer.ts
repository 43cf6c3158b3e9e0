import type { Duplex } from "node:stream";
import { FrameDecoder } from "../wire/frame-decoder.ts";
import type { FrameDecoderOptions, FrameSink } from "../wire/frame-decoder.ts";
import { MAX_STREAM_ID } from "../wire/frame.ts";
import { FrameWriter } from "./frame-writer.ts";
import { ResponseSide } from "./response-side.ts";
import type { ResponsePort } from "./response-side.ts";
import type { Watched } from "./stall-guard.ts";

/** One connection of a relay: its stream and how that is read and written. */
export class Peer<Side extends FrameSink & { readonly frames: number }> implements Watched {
  readonly stream: Duplex;
  readonly writer: FrameWriter;
  readonly side: Side;
  readonly #decoder: FrameDecoder;
  #paused = false;
  #error: Error | undefined;

  constructor(stream: Duplex, side: Side, options?: FrameDecoderOptions) {
    this.stream = stream;
    this.side = side;
    this.writer = new FrameWriter(stream);
    this.#decoder = new FrameDecoder(side, options);
  }

  get midFrame(): boolean {
    return this.#decoder.midFrame;
  }

  get frames(): number {
    return this.side.frames;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** What the stream failed with, if it did. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Starts reading. `onChange` follows every chunk and every `drain`, `onGone` the end of the stream, once or twice. */
  start(onChange: () => void, onGone: () => void): void {
    this.stream.on("error", (error: Error) => (this.#error ??= error));
    this.stream.on("drain", onChange);
    this.stream.once("end", onGone);
    this.stream.once("close", onGone);
    this.stream.on("data", (chunk: Buffer) => {
      this.#decoder.push(chunk);
      onChange();
    });
    // A stream that had ended before it was handed over emits nothing any more.
    if (this.stream.destroyed || this.stream.readableEnded) queueMicrotask(onGone);
  }

  /** Stops or resumes reading. */
  hold(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.stream.pause();
    else this.stream.resume();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.stream.destroy(error);
  }

  /** Ends the stream at once; what still arrives is ignored. */
  end(): void {
    this.#decoder.stop();
    this.stream.destroy();
  }
}

/** The server connection of a relay, with the ids of its streams. */
export class Upstream extends Peer<ResponseSide> {
  #lastStreamId = -1;

  constructor(stream: Duplex, port: ResponsePort) {
    super(stream, new ResponseSide(port));
  }

  /** The next id, to be written before the one after it is asked for. After 2^31 calls the connection is used up. */
  nextStreamId(): number {
    if (this.#lastStreamId >= MAX_STREAM_ID)
      this.fail(new Error("the stream ids of the connection are used up"));
    this.#lastStreamId += 2;
    return this.#lastStreamId;
  }
}
