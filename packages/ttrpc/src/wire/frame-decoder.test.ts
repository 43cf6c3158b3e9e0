import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FRAME_HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  MessageType,
  encodeFrame,
  encodeFrameHeader,
  viewOf,
} from "./frame.ts";
import type { Frame, FrameHeader, Span } from "./frame.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import type { Delivery, FrameDecoderOptions, FrameSink } from "./frame-decoder.ts";

/** Everything a decoder delivered, in order. */
class Recorder implements FrameSink {
  readonly events: string[] = [];
  readonly frames: Frame[] = [];
  readonly pieces: Buffer[] = [];
  readonly oversize: FrameHeader[] = [];
  onFrame(frame: Frame): void {
    this.events.push(`frame ${frame.streamId}`);
    this.frames.push(frame);
  }
  onOversize(header: FrameHeader): void {
    this.events.push(`oversize ${header.streamId}`);
    this.oversize.push(header);
  }
}

/** As Recorder, with a delivery by stream id, and what the heads looked like. */
class Chooser extends Recorder {
  readonly heads: Buffer[] = [];
  /** Header bytes of what comes in pieces, not copied. */
  readonly headers: Buffer[] = [];
  readonly #choose: (header: FrameHeader) => Delivery;
  constructor(choose: (header: FrameHeader) => Delivery) {
    super();
    this.#choose = choose;
  }
  onHead(head: Frame): Delivery {
    this.heads.push(Buffer.from(head.body));
    const delivery = this.#choose(head);
    if (delivery === "pieces") this.headers.push(head.raw.subarray(0, FRAME_HEADER_LENGTH));
    return delivery;
  }
  onPiece(header: FrameHeader, piece: Span, remaining: number): void {
    this.events.push(`piece ${header.streamId}${remaining === 0 ? " last" : ""}`);
    this.pieces.push(Buffer.from(viewOf(piece)));
  }
}

function decode<S extends FrameSink>(
  sink: S,
  chunks: Iterable<Uint8Array>,
  options?: FrameDecoderOptions,
): S {
  const decoder = new FrameDecoder(sink, options);
  for (const chunk of chunks) decoder.push(chunk);
  return sink;
}

/** Cuts `bytes` at the given places, whatever numbers they are. */
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const frameArbitrary = fc.record({
  streamId: fc.nat({ max: 0xff_ff_ff_ff }),
  type: fc.constantFrom(...Object.values(MessageType)),
  flags: fc.nat({ max: 255 }),
  body: fc.uint8Array({ maxLength: 300 }),
});

describe("FrameDecoder", () => {
  test("delivers the same frames wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(frameArbitrary, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, frame.body)));
          const { frames: received } = decode(new Recorder(), cutAt(bytes, cuts));
          expect(
            received.map(({ streamId, type, flags, body }) => ({
              streamId,
              type,
              flags,
              body: Uint8Array.from(body),
            })),
          ).toEqual(frames);
          expect(Buffer.concat(received.map(({ raw }) => raw))).toEqual(bytes);
        },
      ),
    );
  });

  test("delivers the same pieces, frames and skips wherever the stream is cut", () => {
    const delivery = (header: FrameHeader): Delivery =>
      (["gather", "pieces", "skip"] as const)[header.streamId % 3] ?? "gather";
    fc.assert(
      fc.property(
        fc.array(frameArbitrary, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.nat({ max: 64 }),
        (frames, cuts, headLength) => {
          const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, frame.body)));
          const sink = decode(new Chooser(delivery), cutAt(bytes, cuts), { headLength });
          const bodies = (kind: Delivery) =>
            Buffer.concat(
              frames.filter((frame) => delivery({ ...frame, length: 0 }) === kind).map(({ body }) => body),
            );
          expect(Buffer.concat(sink.frames.map(({ body }) => body))).toEqual(bodies("gather"));
          expect(Buffer.concat(sink.pieces)).toEqual(bodies("pieces"));
          // Whoever holds on to a header, to write it later, still has it when everything else has come.
          const inPieces = frames.filter((frame) => delivery({ ...frame, length: 0 }) === "pieces");
          const headers = inPieces.map(({ body, ...rest }) =>
            encodeFrameHeader({ ...rest, length: body.length }),
          );
          expect(sink.headers).toEqual(headers);
          const lasts = sink.events.filter((event) => event.endsWith("last")).length;
          expect(lasts).toBe(frames.filter((frame) => frame.streamId % 3 === 1).length);
          expect(sink.heads).toHaveLength(frames.length);
          for (const [index, head] of sink.heads.entries()) {
            const body = Buffer.from(frames[index]!.body);
            expect(head.length).toBeGreaterThanOrEqual(Math.min(headLength, body.length));
            expect(body.subarray(0, head.length)).toEqual(head);
          }
        },
      ),
    );
  });

  test("never throws and never gathers more than a body, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 30 }), (chunks) => {
        const sink = decode(new Recorder(), chunks, { maxLength: 100 });
        for (const { body } of sink.frames) expect(body.length).toBeLessThanOrEqual(100);
        const delivered = sink.frames.reduce((sum, { raw }) => sum + raw.length, 0);
        expect(delivered).toBeLessThanOrEqual(chunks.reduce((sum, { length }) => sum + length, 0));
      }),
    );
  });

  test("takes a frame out of its chunk without a copy", () => {
    const chunk = Buffer.concat([
      encodeFrame({ streamId: 1, type: 1 }, Buffer.from("one")),
      encodeFrame({ streamId: 3, type: 1 }, Buffer.from("two")),
    ]);
    const { frames } = decode(new Recorder(), [chunk]);
    expect(frames.map(({ raw }) => raw.byteOffset)).toEqual([chunk.byteOffset, chunk.byteOffset + 13]);
    expect(frames.every(({ raw }) => raw.buffer === chunk.buffer)).toBe(true);
  });

  test("does not touch a delivered frame when later ones arrive in the same way", () => {
    const split = (frame: Buffer) => [frame.subarray(0, 4), frame.subarray(4, 12), frame.subarray(12)];
    const one = encodeFrame({ streamId: 1, type: 1 }, Buffer.from("first body"));
    const two = encodeFrame({ streamId: 3, type: 1 }, Buffer.from("2nd"));
    const { frames } = decode(new Recorder(), [...split(one), ...split(two)]);
    expect(frames.map(({ body }) => body.toString())).toEqual(["first body", "2nd"]);
  });

  test("accepts a body of exactly the limit and skips one above it without keeping it", () => {
    const fits = encodeFrameHeader({ length: MAX_MESSAGE_LENGTH, streamId: 1, type: 1, flags: 0 });
    const tooLong = encodeFrameHeader({ length: MAX_MESSAGE_LENGTH + 1, streamId: 3, type: 1, flags: 0 });
    const body = Buffer.alloc(MAX_MESSAGE_LENGTH);
    const next = encodeFrame({ streamId: 5, type: 1 }, Buffer.alloc(0));
    const { events } = decode(new Recorder(), [
      fits,
      body,
      tooLong,
      body,
      Buffer.concat([Buffer.alloc(1), next]),
    ]);
    expect(events).toEqual(["frame 1", "oversize 3", "frame 5"]);
  });

  test("an announced length costs no memory before the body comes", () => {
    const header = encodeFrameHeader({ length: MAX_MESSAGE_LENGTH, streamId: 1, type: 1, flags: 0 });
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 500 }, () => {
      const decoder = new FrameDecoder(new Recorder());
      decoder.push(Buffer.concat([header, Buffer.alloc(1000)]));
      return decoder;
    });
    // 500 announced bodies are 2 GB; about 5 KB each have arrived or been made room for.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20);
    expect(decoders.every(({ midFrame }) => midFrame)).toBe(true);
  });

  test("knows whether it is within a frame and how many have ended", () => {
    const decoder = new FrameDecoder(new Recorder(), { maxLength: 4 });
    const frame = encodeFrame({ streamId: 1, type: 1 }, Buffer.from("abcd"));
    const long = encodeFrame({ streamId: 3, type: 1 }, Buffer.from("abcde"));
    const seen = [...frame, ...long].map((byte) => {
      decoder.push(Buffer.of(byte));
      return `${decoder.frames}${decoder.midFrame ? "+" : ""}`;
    });
    expect(seen).toEqual([...Array<string>(13).fill("0+"), "1", ...Array<string>(14).fill("1+"), "2"]);
  });

  test("delivers nothing after stop, also from within a sink", () => {
    const sink = new Recorder();
    const decoder = new FrameDecoder({
      onFrame(frame) {
        sink.onFrame(frame);
        decoder.stop();
      },
      onOversize: (header) => sink.onOversize(header),
    });
    const empty = (streamId: number) => encodeFrame({ streamId, type: 1 }, Buffer.alloc(0));
    decoder.push(Buffer.concat([empty(1), empty(3)]));
    decoder.push(empty(5));
    expect(sink.events).toEqual(["frame 1"]);
  });

  test("a piece follows its header without a gap when both are in one chunk", () => {
    const frame = encodeFrame({ streamId: 1, type: 1 }, Buffer.alloc(100));
    const pieces: Buffer[] = [];
    const decoder = new FrameDecoder(
      {
        onFrame: () => undefined,
        onOversize: () => undefined,
        onHead: ({ raw }) => {
          pieces.push(raw.subarray(0, FRAME_HEADER_LENGTH));
          return "pieces";
        },
        onPiece: (_header, piece) => void pieces.push(viewOf(piece)),
      },
      { headLength: 20 },
    );
    decoder.push(frame.subarray(0, 60));
    const [header, piece] = pieces;
    expect(pieces).toHaveLength(2);
    expect(piece?.buffer).toBe(header?.buffer);
    expect(piece?.byteOffset).toBe((header?.byteOffset ?? 0) + FRAME_HEADER_LENGTH);
  });

  test("a piece-wise body comes as it arrives, and an empty one as an empty last piece", () => {
    const frame = encodeFrame({ streamId: 1, type: 1 }, Buffer.from("abcdef"));
    const sink = decode(new Chooser(() => "pieces"), [
      frame.subarray(0, FRAME_HEADER_LENGTH + 2),
      frame.subarray(FRAME_HEADER_LENGTH + 2),
      encodeFrame({ streamId: 3, type: 1 }, Buffer.alloc(0)),
    ]);
    expect(sink.pieces.map(String)).toEqual(["ab", "cdef", ""]);
    expect(sink.events).toEqual(["piece 1", "piece 1 last", "piece 3 last"]);
  });
});
