import { Buffer } from "node:buffer";
import { duplexPair } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { echoRoutes } from "../../testing/echo-service.ts";
import { RawPeer, anyFrame, dataFrame, requestFrame } from "../../testing/raw-peer.ts";
import { FrameFlag, MAX_MESSAGE_LENGTH, encodeFrameHeader } from "../wire/frame.ts";
import type { TtrpcServerOptions } from "./options.ts";
import { createTtrpcServer } from "./server.ts";

/** A server of the echo service and a client of bare bytes. */
function createRawPair(options: TtrpcServerOptions & Parameters<typeof echoRoutes>[0] = {}) {
  const [clientSide, serverSide] = duplexPair();
  const server = createTtrpcServer(echoRoutes(options), options);
  const served = server.serve(serverSide);
  const peer = new RawPeer(clientSide);
  return {
    peer,
    served,
    server,
    async [Symbol.asyncDispose]() {
      peer.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const SAY_HI = "0a026869";
const say = (streamId: number) => requestFrame(streamId, "Say", { payload: Buffer.from(SAY_HI, "hex") });
const oversizeHeader = (streamId: number, type: number, length = 5 << 20) =>
  encodeFrameHeader({ length, streamId, type, flags: 0 });
const INVALID = 3;

describe("a server whose client breaks the rules", () => {
  test.each([
    ["an even stream id", say(2), `2: ${INVALID} StreamID must be odd for client initiated streams`],
    ["stream id 0", say(0), `0: ${INVALID} StreamID must be odd for client initiated streams`],
    [
      "an even stream id on a data frame",
      dataFrame(2, ""),
      `2: ${INVALID} StreamID must be odd for client initiated streams`,
    ],
    ["a data frame for an unknown stream", dataFrame(99, ""), `99: ${INVALID} StreamID is no longer active`],
    [
      "an envelope that cannot be decoded",
      anyFrame({ streamId: 1, type: 1 }, Buffer.of(0x0a, 0x7f)),
      `1: ${INVALID} unmarshal request error: unexpected end of message`,
    ],
    ["an unknown service", requestFrame(1, "Check", { service: "no.Such" }), "1: 12 service no.Such"],
    ["an unknown method", requestFrame(1, "NoSuch"), "1: 12 method NoSuch"],
    ["an empty request", anyFrame({ streamId: 1, type: 1 }), "1: 12 service "],
    [
      "a name of Object.prototype",
      requestFrame(1, "constructor", { service: "__proto__" }),
      "1: 12 service __proto__",
    ],
    [
      "a payload that cannot be decoded",
      requestFrame(1, "Say", { payload: Buffer.of(0x0a, 0x7f) }),
      "1: 13 ttrpc: error unmarshalling payload: premature EOF",
    ],
    [
      "a deadline that is over",
      requestFrame(1, "Say", { timeoutNano: -1n }),
      "1: 4 context deadline exceeded",
    ],
  ])("answers %s and goes on", async (_what, bytes, answer) => {
    await using pair = createRawPair();
    pair.peer.send(bytes, say(101));
    expect(await pair.peer.response()).toBe(answer);
    expect(await pair.peer.response()).toBe(`101: ok ${SAY_HI}`);
  });

  test("answers a stream id that does not grow, and leaves the call that has it alone", async () => {
    const gate = Promise.withResolvers<void>();
    await using pair = createRawPair({
      async say({ value }) {
        await gate.promise;
        return { value };
      },
    });
    pair.peer.send(say(5), say(5), say(3));
    expect(await pair.peer.response()).toBe(`5: ${INVALID} StreamID cannot be re-used and must increment`);
    expect(await pair.peer.response()).toBe(`3: ${INVALID} StreamID cannot be re-used and must increment`);
    gate.resolve();
    expect(await pair.peer.response()).toBe(`5: ok ${SAY_HI}`);
  });

  test("answers a data frame on a unary call in flight, and cancels the call", async () => {
    const cancelled = Promise.withResolvers<unknown>();
    await using pair = createRawPair({
      hang: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            cancelled.resolve(signal.reason);
            reject(signal.reason as Error);
          });
        }),
    });
    pair.peer.send(requestFrame(1, "Hang"), dataFrame(1, ""));
    expect(await pair.peer.response()).toBe(`1: ${INVALID} data frame on a stream that takes no data`);
    expect(await cancelled.promise).toMatchObject({ code: INVALID });
    pair.peer.send(dataFrame(1, ""), say(3));
    expect(await pair.peer.response()).toBe(`1: ${INVALID} StreamID is no longer active`);
    expect(await pair.peer.response()).toBe(`3: ok ${SAY_HI}`);
  });

  test("ignores message types it does not know", async () => {
    await using pair = createRawPair();
    pair.peer.send(anyFrame({ streamId: 1, type: 9 }), anyFrame({ streamId: 3, type: 2 }), say(5));
    expect(await pair.peer.response()).toBe(`5: ok ${SAY_HI}`);
  });

  test("drops an oversize body as it comes, answers, and goes on", async () => {
    await using pair = createRawPair();
    pair.peer.send(oversizeHeader(1, 1));
    expect(await pair.peer.response()).toBe(
      "1: 8 message length 5242880 exceed maximum message size of 4194304",
    );
    for (let sent = 0; sent < 5; sent++) pair.peer.send(Buffer.alloc(1 << 20));
    pair.peer.send(say(3));
    expect(await pair.peer.response()).toBe(`3: ok ${SAY_HI}`);
  });

  test("an oversize data frame fails its call only", async () => {
    await using pair = createRawPair();
    const length = MAX_MESSAGE_LENGTH + 1;
    pair.peer.send(
      requestFrame(1, "Sum", { flags: FrameFlag.RemoteOpen }),
      oversizeHeader(1, 3, length),
      Buffer.alloc(length),
      say(3),
    );
    expect(await pair.peer.response()).toBe(
      `1: 8 message length ${length} exceed maximum message size of 4194304`,
    );
    expect(await pair.peer.response()).toBe(`3: ok ${SAY_HI}`);
  });

  test("answers a result above the limit with a status, and goes on", async () => {
    await using pair = createRawPair();
    // UInt32Value 4194304: with the field around it the message is 5 bytes longer, the envelope 10.
    pair.peer.send(requestFrame(1, "Produce", { payload: Buffer.from("0880808002", "hex") }), say(3));
    expect(await pair.peer.response()).toBe(
      "1: 8 message length 4194314 exceed maximum message size of 4194304",
    );
    expect(await pair.peer.response()).toBe(`3: ok ${SAY_HI}`);
  });

  test.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: example\r\n\r\n")],
    ["TLS", Buffer.from("16030100c8010000c40303a1b2c3d4e5", "hex")],
    ["0xff", Buffer.alloc(4096, 0xff)],
  ])("ends a connection that speaks %s", async (_what, bytes) => {
    const ends: string[] = [];
    const logger = {
      warn: () => undefined,
      debug: (fields: object) => void ends.push(String((fields as { err: Error }).err)),
    };
    await using pair = createRawPair({ logger });
    pair.peer.send(bytes);
    await pair.served.closed;
    expect(ends).toEqual([expect.stringMatching(/not ttrpc: frame of unknown type \d+/)]);
  });

  test("data rules of a streaming call", async () => {
    await using pair = createRawPair();
    const open = (streamId: number) => requestFrame(streamId, "Sum", { flags: FrameFlag.RemoteOpen });
    pair.peer.send(open(1), dataFrame(1, "0802"), dataFrame(1, "0803", FrameFlag.RemoteClosed));
    expect(await pair.peer.response()).toBe(`1: ${INVALID} data close message cannot include data`);
    // The close carries no message, with and without the flag that says so; NoData alone carries none either.
    pair.peer.send(
      open(3),
      dataFrame(3, "0802"),
      dataFrame(3, "", FrameFlag.NoData),
      dataFrame(3, "", FrameFlag.RemoteClosed),
    );
    expect(await pair.peer.response()).toBe("3: ok 0802");
    pair.peer.send(
      open(5),
      dataFrame(5, ""),
      dataFrame(5, "0804"),
      dataFrame(5, "", FrameFlag.RemoteClosed | FrameFlag.NoData),
    );
    expect(await pair.peer.response()).toBe("5: ok 0804");
    pair.peer.send(open(7), dataFrame(7, "ff"), dataFrame(7, "", FrameFlag.RemoteClosed));
    expect(await pair.peer.response()).toMatch(/^7: 13 ttrpc: error unmarshalling payload/);
  });

  test("data after the client's end is refused", async () => {
    const gate = Promise.withResolvers<void>();
    await using pair = createRawPair({
      async sum() {
        await gate.promise;
        return {};
      },
    });
    pair.peer.send(
      requestFrame(1, "Sum", { flags: FrameFlag.RemoteOpen }),
      dataFrame(1, "", FrameFlag.RemoteClosed),
      dataFrame(1, "0801"),
    );
    expect(await pair.peer.response()).toBe(`1: ${INVALID} data frame after the end of the client's data`);
    gate.resolve();
  });

  test("a streaming method called as a unary one has the payload as its only message", async () => {
    await using pair = createRawPair();
    pair.peer.send(requestFrame(1, "Sum", { payload: Buffer.from("0807", "hex") }));
    expect(await pair.peer.response()).toBe("1: ok 0807");
  });

  test("a flood of calls is bounded, and refused beyond", async () => {
    await using pair = createRawPair({ maxCallsPerConnection: 10 });
    pair.peer.send(...Array.from({ length: 15 }, (_, index) => requestFrame(2 * index + 1, "Hang")));
    for (let streamId = 21; streamId <= 29; streamId += 2) {
      expect(await pair.peer.response()).toBe(`${streamId}: 8 more than 10 calls in flight`);
    }
  });

  test("bytes of calls in flight are bounded, and free again when a call ends", async () => {
    const gate = Promise.withResolvers<void>();
    await using pair = createRawPair({
      maxRequestBytesPerConnection: 1000,
      async hang() {
        await gate.promise;
        return {};
      },
    });
    const big = (streamId: number) =>
      requestFrame(streamId, "Hang", { metadata: [["fill", "x".repeat(600)]] });
    pair.peer.send(big(1), big(3));
    expect(await pair.peer.response()).toBe("3: 8 more than 1000 bytes of requests in flight");
    gate.resolve();
    expect(await pair.peer.response()).toBe("1: ok ");
    pair.peer.send(big(5));
    expect(await pair.peer.response()).toBe("5: ok ");
  });

  test("half a frame, and no first frame, end at their time limit; an idle connection does not", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const limits = { frameTimeoutMs: 60_000, firstFrameTimeoutMs: 10_000 };
      await using half = createRawPair(limits);
      await using idle = createRawPair(limits);
      await using silent = createRawPair(limits);
      await using halfFirst = createRawPair(limits);
      for (const { peer } of [half, idle]) {
        peer.send(say(1));
        expect(await peer.response()).toBe(`1: ok ${SAY_HI}`);
      }
      half.peer.send(say(3).subarray(0, 12));
      halfFirst.peer.send(say(1).subarray(0, 7));
      await nextTurn();

      vi.advanceTimersByTime(10_000);
      await Promise.all([silent.served.closed, halfFirst.served.closed]);
      // Within its time the rest of a frame is welcome, and the next frame has a time of its own.
      vi.advanceTimersByTime(49_000);
      half.peer.send(say(3).subarray(12), say(5).subarray(0, 12));
      expect(await half.peer.response()).toBe(`3: ok ${SAY_HI}`);
      vi.advanceTimersByTime(50_000);
      half.peer.send(say(5).subarray(12), say(7).subarray(0, 12));
      expect(await half.peer.response()).toBe(`5: ok ${SAY_HI}`);
      vi.advanceTimersByTime(120_000);
      await half.served.closed;

      idle.peer.send(say(3));
      expect(await idle.peer.response()).toBe(`3: ok ${SAY_HI}`);
    } finally {
      vi.useRealTimers();
    }
  });

  test("drips of a frame do not extend its time", async () => {
    await using pair = createRawPair({ frameTimeoutMs: 50 });
    const drip = setInterval(() => pair.peer.send(Buffer.of(0)), 5);
    try {
      pair.peer.send(encodeFrameHeader({ length: MAX_MESSAGE_LENGTH, streamId: 1, type: 1, flags: 0 }));
      await pair.served.closed;
    } finally {
      clearInterval(drip);
    }
  });

  test("garbage never throws, and a healthy connection of the same server goes on", async () => {
    const server = createTtrpcServer(echoRoutes());
    try {
      const [clientSide, serverSide] = duplexPair();
      server.serve(serverSide);
      const healthy = new RawPeer(clientSide);
      const frame = fc.record({
        streamId: fc.nat({ max: 12 }),
        type: fc.nat({ max: 4 }),
        flags: fc.nat({ max: 7 }),
        body: fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc
            .constantFrom("Say", "Sum", "Chat", "Count", "Hang")
            .map((method) => requestFrame(1, method).subarray(10)),
        ),
      });
      const bytes = fc.oneof(
        {
          weight: 3,
          arbitrary: fc
            .array(frame, { maxLength: 12 })
            .map((frames) =>
              Buffer.concat(frames.map(({ body, ...header }) => anyFrame(header, Buffer.from(body)))),
            ),
        },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      );
      let next = 1;
      await fc.assert(
        fc.asyncProperty(bytes, async (input) => {
          const [hostile, served] = duplexPair();
          const connection = server.serve(served);
          hostile.on("error", () => undefined).resume();
          hostile.end(Buffer.from(input));
          await connection.closed;
          healthy.send(say(next));
          expect(await healthy.response()).toBe(`${next}: ok ${SAY_HI}`);
          next += 2;
        }),
      );
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
});
