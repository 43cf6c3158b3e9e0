import { Buffer } from "node:buffer";
import { duplexPair } from "node:stream";
import { Code, createClient } from "@connectrpc/connect";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Echo } from "../../testing/gen/echo_pb.ts";
import { RawPeer, anyFrame, dataFrame } from "../../testing/raw-peer.ts";
import { isTtrpcClosed } from "../status/errors.ts";
import { FrameFlag, MessageType, encodeFrame, encodeFrameHeader } from "../wire/frame.ts";
import { decodeRequest } from "../wire/request.ts";
import { encodeResult, encodeStatus } from "../wire/response.ts";
import { connectTtrpc } from "./connect.ts";
import type { TtrpcClientOptions } from "./connect.ts";

/** A client of the echo service and a server of bare bytes. */
function createRawPair(options: TtrpcClientOptions = {}) {
  const [clientSide, serverSide] = duplexPair();
  const connection = connectTtrpc(clientSide, options);
  const peer = new RawPeer(serverSide);
  return {
    peer,
    connection,
    client: createClient(Echo, connection.transport),
    async [Symbol.asyncDispose]() {
      peer.close();
      await connection[Symbol.asyncDispose]();
    },
  };
}

const answer = (streamId: number, text: string) =>
  encodeFrame({ streamId, type: MessageType.Response }, encodeResult(Buffer.from(text, "hex")));
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "succeeded",
    (error: unknown) => error,
  );

describe("a client on the wire", () => {
  test("opens odd streams in order, without flags, and accepts answers in any order", async () => {
    await using pair = createRawPair();
    const calls = [pair.client.say({ value: "a" }), pair.client.say({ value: "b" }), pair.client.say({})];
    const frames = [await pair.peer.frame(), await pair.peer.frame(), await pair.peer.frame()];
    expect(frames.map(({ streamId, type, flags }) => [streamId, type, flags])).toEqual([
      [1, 1, 0],
      [3, 1, 0],
      [5, 1, 0],
    ]);
    expect(decodeRequest(frames[0]!.body)).toMatchObject({
      service: "peerpods.ttrpc.testing.v1.Echo",
      method: "Say",
      timeoutNano: 0n,
      metadata: [],
    });
    pair.peer.send(answer(5, "0a0163"), answer(1, "0a0161"), answer(3, "0a0162"));
    expect((await Promise.all(calls)).map(({ value }) => value)).toEqual(["a", "b", "c"]);
  });

  test("reads OK from an absent status, an empty one, and an empty body", async () => {
    await using pair = createRawPair();
    const calls = [1, 2, 3].map(() => pair.client.say({}));
    pair.peer.send(
      answer(1, "0a0161"),
      encodeFrame({ streamId: 3, type: MessageType.Response }, Buffer.from("0a0012030a0162", "hex")),
      encodeFrame({ streamId: 5, type: MessageType.Response }, Buffer.alloc(0)),
    );
    expect((await Promise.all(calls)).map(({ value }) => value)).toEqual(["a", "b", ""]);
  });

  test("streams have the flags of the Go client", async () => {
    await using pair = createRawPair();
    const counting = pair.client.count({ value: 3 })[Symbol.asyncIterator]().next();
    const server = await pair.peer.frame();
    expect([server.streamId, server.flags, decodeRequest(server.body).payload.length]).toEqual([
      1,
      FrameFlag.RemoteClosed,
      2,
    ]);
    const summing = pair.client.sum(
      (async function* () {
        yield { value: 2 };
      })(),
    );
    const [open, data, close] = [await pair.peer.frame(), await pair.peer.frame(), await pair.peer.frame()];
    expect([open.flags, decodeRequest(open.body).payload.length]).toEqual([FrameFlag.RemoteOpen, 0]);
    expect([data.type, data.flags, data.body.toString("hex")]).toEqual([MessageType.Data, 0, "0802"]);
    expect([close.type, close.flags, close.length]).toEqual([
      MessageType.Data,
      FrameFlag.RemoteClosed | FrameFlag.NoData,
      0,
    ]);
    // A message may come together with the end, and an all-default one is a message.
    pair.peer.send(dataFrame(1, "", FrameFlag.RemoteClosed), answer(3, "0802"));
    expect(await counting).toMatchObject({ done: false, value: { value: 0 } });
    expect((await summing).value).toBe(2n);
  });

  test("drops answers that come late or for unknown streams", async () => {
    await using pair = createRawPair();
    const late = failure(pair.client.say({}, { timeoutMs: 5 }));
    await pair.peer.frame();
    expect(await late).toMatchObject({
      code: Code.DeadlineExceeded,
      rawMessage: "context deadline exceeded",
    });
    const call = pair.client.say({});
    pair.peer.send(answer(1, "0a0161"), answer(77, "0a0162"), dataFrame(2, "00"), answer(3, "0a0163"));
    expect((await call).value).toBe("c");
  });

  test.each([
    ["a data frame", dataFrame(1, "00"), "protocol error: frame of type 3 on a unary call", Code.Internal],
    [
      "an unknown type",
      anyFrame({ streamId: 1, type: 9 }),
      "protocol error: frame of type 9 on a unary call",
      Code.Internal,
    ],
    [
      "a broken envelope",
      anyFrame({ streamId: 1, type: 2 }, Buffer.of(0x0a, 5)),
      "ttrpc: error unmarshalling response: unexpected end of message",
      Code.Internal,
    ],
    [
      "a broken payload",
      answer(1, "0a7f"),
      "ttrpc: error unmarshalling payload: premature EOF",
      Code.Internal,
    ],
    [
      "an oversize frame",
      Buffer.concat([
        encodeFrameHeader({ length: 5 << 20, streamId: 1, type: 2, flags: 0 }),
        Buffer.alloc(5 << 20),
      ]),
      "message length 5242880 exceed maximum message size of 4194304",
      Code.ResourceExhausted,
    ],
  ])("%s fails its call only", async (_what, bytes, rawMessage, code) => {
    await using pair = createRawPair();
    const [broken, sound] = [failure(pair.client.say({})), pair.client.say({})];
    pair.peer.send(bytes, answer(3, "0a0161"));
    expect(await broken).toMatchObject({ code, rawMessage });
    expect((await sound).value).toBe("a");
  });

  test("refuses to send a request above the limit, and goes on", async () => {
    await using pair = createRawPair();
    const tooLong = failure(pair.client.say({ value: "x".repeat(4 << 20) }));
    expect(await tooLong).toMatchObject({
      code: Code.ResourceExhausted,
      // The text, 10 bytes of fields around it, 32 of the service name and 5 of the method name.
      rawMessage: "message length 4194351 exceed maximum message size of 4194304",
    });
    const call = pair.client.say({});
    const { streamId } = await pair.peer.frame();
    pair.peer.send(answer(streamId, "0a0161"));
    expect((await call).value).toBe("a");
  });

  test("a status keeps numbers that Connect does not know, and its details", async () => {
    await using pair = createRawPair();
    const call = failure(pair.client.say({}));
    const details = [
      { typeUrl: "type.googleapis.com/google.protobuf.StringValue", value: Buffer.from("0a0161", "hex") },
    ];
    pair.peer.send(
      encodeFrame(
        { streamId: 1, type: MessageType.Response },
        encodeStatus({ code: -3, message: "odd\n", details }),
      ),
    );
    expect(await call).toMatchObject({
      code: -3,
      rawMessage: "odd\n",
      details: [{ type: "google.protobuf.StringValue", value: Uint8Array.of(10, 1, 97) }],
    });
  });

  test("a server that hangs up fails all calls with ttrpc: closed, recognisably", async () => {
    await using pair = createRawPair();
    const unary = failure(pair.client.say({}));
    const streaming = failure(pair.client.count({ value: 1 })[Symbol.asyncIterator]().next());
    await pair.peer.frame();
    await pair.peer.frame();
    pair.peer.send(dataFrame(3, "00").subarray(0, 4));
    pair.peer.close();
    for (const error of [await unary, await streaming, await failure(pair.client.say({}))]) {
      expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "ttrpc: closed" });
      expect(isTtrpcClosed(error)).toBe(true);
    }
    await pair.connection.closed;
  });

  test("the same status from the server is not taken for a closed connection", async () => {
    await using pair = createRawPair();
    const call = failure(pair.client.say({}));
    pair.peer.send(
      encodeFrame(
        { streamId: 1, type: MessageType.Response },
        encodeStatus({ code: 14, message: "ttrpc: closed" }),
      ),
    );
    const error = await call;
    expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "ttrpc: closed" });
    expect(isTtrpcClosed(error)).toBe(false);
  });

  test("a server that is none, and one that stops within a frame, lose the connection", async () => {
    await using text = createRawPair();
    await using half = createRawPair({ frameTimeoutMs: 20 });
    const calls = [failure(text.client.say({})), failure(half.client.say({}))];
    text.peer.send(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    half.peer.send(answer(1, "0a0161").subarray(0, 11));
    expect(await text.connection.closed).toMatchObject({ message: expect.stringMatching(/^not ttrpc/) });
    expect(await half.connection.closed).toMatchObject({
      message: "a frame was not complete 20 ms after it began",
    });
    for (const error of await Promise.all(calls)) expect(isTtrpcClosed(error)).toBe(true);
  });

  test("whatever a server sends, calls end and nothing else is thrown", async () => {
    const frame = fc.record({
      streamId: fc.nat({ max: 8 }),
      type: fc.nat({ max: 4 }),
      flags: fc.nat({ max: 7 }),
      body: fc.uint8Array({ maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 12 }), async (frames) => {
        await using pair = createRawPair();
        const input = (async function* () {
          yield { value: "x" };
        })();
        const chat = (async () => {
          for await (const _ of pair.client.chat(input)) continue;
        })();
        const calls = [
          failure(pair.client.say({})),
          failure(pair.client.count({})[Symbol.asyncIterator]().next()),
          failure(chat),
        ];
        pair.peer.send(
          Buffer.concat(frames.map(({ body, ...header }) => anyFrame(header, Buffer.from(body)))),
          Buffer.of(0),
        );
        pair.peer.close();
        expect(await Promise.all(calls)).toHaveLength(3);
      }),
    );
  });
});
