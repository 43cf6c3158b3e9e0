import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { OutputStream } from "./output-stream.ts";

const text = (data: Uint8Array) => Buffer.from(data).toString();

function pair() {
  const source = new PassThrough();
  return { source, stream: new OutputStream(source) };
}

describe("output of a process", () => {
  test("is cut to what was asked for, in order", async ({ signal }) => {
    const { source, stream } = pair();
    source.write("abcdef");
    expect(text(await stream.read(4, signal))).toBe("abcd");
    expect(text(await stream.read(4, signal))).toBe("ef");
  });

  test("is waited for; readers take turns", async ({ signal }) => {
    const { source, stream } = pair();
    const reads = [stream.read(10, signal), stream.read(10, signal)];
    source.write("one");
    expect(text((await reads[0])!)).toBe("one");
    source.write("two");
    expect(text((await reads[1])!)).toBe("two");
  });

  test("ends with nothing, again and again", async ({ signal }) => {
    const { source, stream } = pair();
    source.end("last");
    expect(text(await stream.read(10, signal))).toBe("last");
    expect(await stream.read(10, signal)).toHaveLength(0);
    expect(await stream.read(10, signal)).toHaveLength(0);
  });

  test("an aborted read takes nothing and lets the next one have it", async ({ signal }) => {
    const { source, stream } = pair();
    const abort = new AbortController();
    const given = stream.read(10, abort.signal);
    const waiting = stream.read(10, abort.signal);
    const next = stream.read(10, signal);
    abort.abort(new Error("gone"));
    await expect(given).rejects.toThrow("gone");
    await expect(waiting).rejects.toThrow("gone");
    source.write("kept");
    expect(text(await next)).toBe("kept");
  });

  test("after the process, is waited for only a little longer when others hold the pipe", async ({
    signal,
  }) => {
    const { source, stream } = pair();
    const read = stream.read(10, signal);
    const started = performance.now();
    stream.drain();
    expect(await read).toHaveLength(0);
    expect(performance.now() - started).toBeGreaterThan(400);
    expect(source.destroyed).toBe(true);
  });

  test("what arrives in that time is not lost", async ({ signal }) => {
    const { source, stream } = pair();
    stream.drain();
    const read = stream.read(10, signal);
    source.write("late");
    expect(text(await read)).toBe("late");
  });

  test("a child that never stops writing does not hold up the end for ever", async ({ signal }) => {
    const { source, stream } = pair();
    stream.drain();
    const chatter = setInterval(() => source.write(Buffer.alloc(100_000)), 1);
    try {
      let total = 0;
      for (
        let piece = await stream.read(32768, signal);
        piece.length > 0;
        piece = await stream.read(32768, signal)
      )
        total += piece.length;
      expect(total).toBeGreaterThan(1_000_000);
    } finally {
      clearInterval(chatter);
    }
  });
});
