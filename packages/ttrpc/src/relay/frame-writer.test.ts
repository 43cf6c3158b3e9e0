import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import type { Span } from "../wire/frame.ts";
import { FrameWriter } from "./frame-writer.ts";

/** Lengths of the pieces that each write had. */
let writes: number[][];
let writer: FrameWriter;

beforeEach(() => {
  writes = [];
  const stream = new Writable({
    highWaterMark: 1 << 20,
    write: (chunk: Buffer, _encoding, done) => (writes.push([chunk.length]), done()),
    writev: (chunks, done) => (writes.push(chunks.map(({ chunk }) => (chunk as Buffer).length)), done()),
  });
  writer = new FrameWriter(stream);
});

function piece(length: number, isLast = false): void {
  writer.piece(all(Buffer.alloc(length)), isLast);
  writer.flush();
}

function all(bytes: Buffer): Span {
  return { bytes, start: 0, end: bytes.length };
}

describe("flush", () => {
  it("writes a whole frame at once", () => {
    writer.frame(all(Buffer.alloc(30)));
    writer.flush();
    expect(writes).toEqual([[30]]);
  });

  it("writes frames that lie side by side in one chunk as one piece", () => {
    const chunk = Buffer.alloc(100);
    writer.frame({ bytes: chunk, start: 0, end: 40 });
    writer.frame({ bytes: chunk, start: 40, end: 100 });
    writer.flush();
    expect(writes).toEqual([[100]]);
  });

  it("lets the pieces of one turn of the event loop leave together", async () => {
    writer.begin(all(Buffer.alloc(10)));
    for (let n = 0; n < 3; n++) piece(1000);
    expect(writes).toEqual([]);
    await turn();
    expect(writes).toEqual([[10, 1000, 1000, 1000]]);
    piece(1000);
    await turn();
    expect(writes.slice(1)).toEqual([[1000]]);
  });

  it("does not wait when there is enough, nor when the frame is complete", () => {
    writer.begin(all(Buffer.alloc(10)));
    piece(40_000);
    piece(40_000);
    expect(writes).toEqual([[10, 40_000, 40_000]]);
    piece(1);
    piece(1, true);
    expect(writes.slice(1)).toEqual([[1, 1]]);
  });

  it("writes nothing to a stream that has ended meanwhile", async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    const ended = new FrameWriter(stream);
    ended.begin(all(Buffer.alloc(10)));
    ended.flush();
    stream.destroy();
    await turn();
    expect(ended.bytes).toBe(10);
  });
});
