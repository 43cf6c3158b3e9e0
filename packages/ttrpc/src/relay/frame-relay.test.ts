import { setImmediate as turn } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_MESSAGE_LENGTH, encodeFrameHeader, setStreamId } from "../wire/frame.ts";
import { encodeRequest } from "../wire/request.ts";
import { createFrameRelay } from "./frame-relay.ts";
import { connection, requestFrame } from "./testing/raw-peer.ts";
import type { RawPeer } from "./testing/raw-peer.ts";
import type { FrameRelay, FrameRelayOptions } from "./types.ts";

const relays: FrameRelay[] = [];
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay[Symbol.asyncDispose]();
});

function setUp(options: FrameRelayOptions = {}) {
  const { peer: client, other } = connection();
  const relay = createFrameRelay(other, options);
  relays.push(relay);
  const connect = (): RawPeer => {
    const upstream = connection();
    relay.connect(upstream.other);
    return upstream.peer;
  };
  return { client, relay, connect };
}

/** Sends one more call and waits for its answer: what was sent before has been dealt with by then. */
async function roundTrip(client: RawPeer, agent: RawPeer, id: number): Promise<void> {
  client.request(id, "Ping", "still there");
  const request = await agent.nextRequest();
  expect(request.payload).toBe("still there");
  agent.respond(request.id, "yes");
  expect(await client.nextResponse()).toMatchObject({ id, payload: "yes" });
}

describe("passing", () => {
  it("gives calls ids of its own and answers under the caller's", async () => {
    const { client, connect } = setUp();
    const agent = connect();
    client.request(5, "First", "a");
    client.request(9, "Second", "b");
    const [first, second] = [await agent.nextRequest(), await agent.nextRequest()];
    expect([first.id, first.method, second.id, second.method]).toEqual([1, "First", 3, "Second"]);
    agent.respond(second.id, "B");
    agent.respond(first.id, "A");
    expect(await client.nextResponse()).toEqual({ id: 9, code: 0, message: "", payload: "B" });
    expect(await client.nextResponse()).toEqual({ id: 5, code: 0, message: "", payload: "A" });
  });

  it("keeps the envelope byte for byte, metadata, deadline and unknown fields included", async () => {
    const { client, connect } = setUp();
    const agent = connect();
    const envelope = encodeRequest({
      service: "grpc.Health",
      method: "Check",
      payload: Buffer.from([1, 2, 3]),
      timeoutNano: 30_000_000_000n,
      metadata: [["containerd-namespace-ttrpc", "k8s.io"]],
    });
    const body = Buffer.concat([envelope, Buffer.from([0xf8, 0x01, 0x07])]);
    client.stream.write(encodeFrameHeader({ length: body.length, streamId: 1, type: 1, flags: 0 }));
    client.stream.write(body);
    expect((await agent.next()).body.equals(body)).toBe(true);
  });

  it("passes requests and responses whatever their size and however they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 600_000 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
        async (sizes, cuts) => {
          const { client, connect, relay } = setUp();
          const agent = connect();
          const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));
          const bytes = Buffer.concat(
            payloads.map((payload, index) => requestFrame(2 * index + 1, "Put", payload)),
          );
          for (let at = 0, turnOf = 0; at < bytes.length; turnOf++) {
            const end = at + cuts[turnOf % cuts.length]!;
            client.stream.write(bytes.subarray(at, end));
            at = end;
          }
          for (const [index, payload] of payloads.entries()) {
            const { request, id } = await agent.nextRequest();
            expect(id).toBe(2 * index + 1);
            expect(Buffer.compare(request.payload, payload)).toBe(0);
            agent.respond(id, payload);
            const answer = await client.next();
            expect(answer.streamId).toBe(2 * index + 1);
            expect(answer.body.subarray(-payload.length || answer.body.length).equals(payload)).toBe(true);
          }
          await relay[Symbol.asyncDispose]();
        },
      ),
      { numRuns: 30 },
    );
  });

  it("forwards a large request before all of it has arrived", async () => {
    const { client, connect, relay } = setUp();
    const agent = connect();
    const frame = requestFrame(1, "CopyFile", Buffer.alloc(1 << 20));
    client.stream.write(frame.subarray(0, 200_000));
    await vi.waitFor(() => expect(relay.stats.bytesUp).toBe(200_000));
    client.stream.write(frame.subarray(200_000));
    expect((await agent.nextRequest()).request.payload.length).toBe(1 << 20);
  });

  it("stops reading from a side when the other does not take it", async () => {
    const { client, connect, relay } = setUp();
    const agent = connect();
    agent.stream.pause();
    const frame = requestFrame(1, "WriteStdin", Buffer.alloc(64 << 10));
    for (let count = 0; count < 100; count++) {
      setStreamId(frame, 2 * count + 1);
      client.stream.write(Buffer.from(frame));
    }
    for (let turns = 0; turns < 100; turns++) await turn();
    expect(relay.stats.bytesUp).toBeLessThan(5 * frame.length);
    agent.stream.resume();
    await vi.waitFor(() => expect(relay.stats.bytesUp).toBe(100 * frame.length));
  });
});

describe("a client that does not read", () => {
  it("holds the upstream back instead of filling memory", async () => {
    const { client, connect, relay } = setUp();
    const agent = connect();
    for (let id = 1; id < 200; id += 2) client.request(id, "ReadStdout");
    for (let count = 0; count < 100; count++) await agent.nextRequest();
    client.stream.pause();
    for (let id = 1; id < 200; id += 2) agent.respond(id, Buffer.alloc(64 << 10));
    for (let turns = 0; turns < 100; turns++) await turn();
    expect(relay.stats.bytesDown).toBeLessThan(5 * (64 << 10));
    client.stream.resume();
    await vi.waitFor(() => expect(client.frames).toHaveLength(100));
  });

  it("cannot fill memory with answers to refused frames either", async () => {
    const { client, relay } = setUp();
    client.stream.pause();
    const refused = encodeFrameHeader({ length: 0, streamId: 7, type: 3, flags: 0 });
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => refused));
    for (let count = 0; count < 200; count++) client.stream.write(flood);
    for (let turns = 0; turns < 300; turns++) await turn();
    expect(relay.stats.answeredHere).toBeLessThan(20_000);
    client.stream.resume();
    await vi.waitFor(() => expect(relay.stats.answeredHere).toBe(200_000), { timeout: 10_000 });
  });
});

describe("frames that a server refuses", () => {
  const refused = [
    [
      "a Data frame for an unknown stream",
      { streamId: 7, type: 3, flags: 0 },
      3,
      "StreamID is no longer active",
    ],
    [
      "an even id",
      { streamId: 8, type: 1, flags: 0 },
      3,
      "StreamID must be odd for client initiated streams",
    ],
    [
      "an even id on Data",
      { streamId: 0, type: 3, flags: 0 },
      3,
      "StreamID must be odd for client initiated streams",
    ],
    [
      "an id used before",
      { streamId: 1, type: 1, flags: 0 },
      3,
      "StreamID cannot be re-used and must increment",
    ],
  ] as const;
  it.each(refused)("answers %s here", async (_what, header, code, message) => {
    const { client, connect } = setUp();
    const agent = connect();
    await roundTrip(client, agent, 1);
    client.stream.write(encodeFrameHeader({ length: 0, ...header }));
    expect(await client.nextResponse()).toMatchObject({ id: header.streamId, code, message });
    await roundTrip(client, agent, 11);
  });

  it("answers a Data frame on a call in flight, which goes on", async () => {
    const { client, connect } = setUp();
    const agent = connect();
    client.request(1, "WaitProcess");
    const { id } = await agent.nextRequest();
    client.stream.write(encodeFrameHeader({ length: 0, streamId: 1, type: 3, flags: 0 }));
    expect(await client.nextResponse()).toMatchObject({ code: 3, message: "StreamID is no longer active" });
    agent.respond(id, "exit");
    expect(await client.nextResponse()).toMatchObject({ id: 1, payload: "exit" });
  });

  it("skips a body above the limit without keeping it", async () => {
    const { client, connect, relay } = setUp();
    const agent = connect();
    const length = MAX_MESSAGE_LENGTH + 1;
    client.stream.write(encodeFrameHeader({ length, streamId: 1, type: 1, flags: 0 }));
    expect(await client.nextResponse()).toMatchObject({
      id: 1,
      code: 8,
      message: `message length ${length} exceed maximum message size of 4194304`,
    });
    client.stream.write(Buffer.alloc(length));
    await roundTrip(client, agent, 3);
    expect(relay.stats.retainedBytes).toBe(0);
  });

  it("answers an envelope that does not decode", async () => {
    const { client, connect } = setUp();
    const agent = connect();
    client.stream.write(encodeFrameHeader({ length: 3, streamId: 1, type: 1, flags: 0 }));
    client.stream.write(Buffer.from([0xff, 0xff, 0xff]));
    const answer = await client.nextResponse();
    expect([answer.id, answer.code]).toEqual([1, 3]);
    expect(answer.message).toMatch(/^unmarshal request error: /);
    await roundTrip(client, agent, 3);
  });

  it("ignores frame types it does not know", async () => {
    const { client, connect } = setUp();
    const agent = connect();
    client.stream.write(encodeFrameHeader({ length: 0, streamId: 1, type: 9, flags: 0 }));
    client.stream.write(encodeFrameHeader({ length: 0, streamId: 1, type: 2, flags: 0 }));
    await roundTrip(client, agent, 1);
    expect(agent.frames).toHaveLength(1);
  });

  it("never lets garbage reach the upstream as anything but proper requests", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (garbage) => {
        const { client, connect, relay } = setUp();
        const agent = connect();
        client.stream.end(Buffer.from(garbage));
        await relay.closed;
        for (const frame of agent.frames)
          expect([frame.type, frame.flags, frame.streamId % 2]).toEqual([1, 0, 1]);
      }),
      { numRuns: 100 },
    );
  });

  it("limits the calls in flight", async () => {
    const { client, connect } = setUp({ maxPendingCalls: 2 });
    const agent = connect();
    for (const id of [1, 3, 5]) client.request(id, "WaitProcess");
    expect(await client.nextResponse()).toMatchObject({ id: 5, code: Code.ResourceExhausted });
    agent.respond(1, "");
    await client.nextResponse();
    agent.respond(3, "");
    await client.nextResponse();
    agent.frames.length = 0;
    client.request(7, "Ping");
    await vi.waitFor(() => expect(agent.frames).toHaveLength(1));
  });
});

describe("answering and editing", () => {
  it("answers what the owner decides to answer, without an upstream", async () => {
    const { client } = setUp({
      onRequest: ({ method }) =>
        method === "Check"
          ? { action: "answer", answer: { payload: Buffer.from("alive") } }
          : { action: "answer", answer: { code: Code.Unimplemented, message: `method ${method}` } },
    });
    client.request(1, "Check");
    client.request(3, "Other");
    expect(await client.nextResponse()).toEqual({ id: 1, code: 0, message: "", payload: "alive" });
    expect(await client.nextResponse()).toEqual({ id: 3, code: 12, message: "method Other", payload: "" });
  });

  it("lets other calls overtake one that is edited, with ids that still grow", async () => {
    const gate = Promise.withResolvers<void>();
    const { client, connect } = setUp({
      onRequest: ({ method }) =>
        method === "CreateContainer"
          ? {
              action: "edit",
              edit: async ({ payload, timeoutNano }) => {
                await gate.promise;
                return Buffer.from(`${Buffer.from(payload).toString()} edited ${timeoutNano}`);
              },
            }
          : { action: "forward" },
    });
    const agent = connect();
    client.request(1, "CreateContainer", "x", 60_000_000_000n);
    await roundTrip(client, agent, 3);
    gate.resolve();
    const edited = await agent.nextRequest();
    expect([edited.id, edited.payload, edited.request.timeoutNano]).toEqual([
      3,
      "x edited 60000000000",
      60_000_000_000n,
    ]);
    agent.respond(edited.id, "done");
    expect(await client.nextResponse()).toMatchObject({ id: 1, payload: "done" });
  });

  it("answers the error of an edit and sends nothing", async () => {
    const { client, connect } = setUp({
      onRequest: ({ method }) =>
        method === "Bad"
          ? {
              action: "edit",
              edit: () => {
                throw new ConnectError("unsafe name", Code.InvalidArgument);
              },
            }
          : { action: "forward" },
    });
    const agent = connect();
    client.request(1, "Bad");
    expect(await client.nextResponse()).toEqual({ id: 1, code: 3, message: "unsafe name", payload: "" });
    await roundTrip(client, agent, 3);
    expect(agent.frames).toHaveLength(1);
  });

  it("aborts an edit at the caller's deadline, and when the caller goes", async () => {
    const reasons: unknown[] = [];
    const { client, connect, relay } = setUp({
      onRequest: () => ({
        action: "edit",
        edit: (_request, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              reasons.push(signal.reason);
              reject(signal.reason as Error);
            });
          }),
      }),
    });
    connect();
    client.request(1, "CreateContainer", "", 20_000_000n);
    expect(await client.nextResponse()).toMatchObject({
      id: 1,
      code: 4,
      message: "context deadline exceeded",
    });
    client.request(3, "CreateContainer");
    await vi.waitFor(() => expect(relay.stats.pending).toBe(1));
    client.stream.destroy();
    await relay.closed;
    expect(reasons).toHaveLength(2);
  });

  it("inserts an edited request only between frames", async () => {
    const gate = Promise.withResolvers<void>();
    const { client, connect, relay } = setUp({
      onRequest: ({ method }) =>
        method === "Edit"
          ? { action: "edit", edit: ({ payload }) => gate.promise.then(() => payload) }
          : { action: "forward" },
    });
    const agent = connect();
    client.request(1, "Edit", "small");
    const large = requestFrame(3, "Large", Buffer.alloc(300_000, 1));
    client.stream.write(large.subarray(0, 100_000));
    await vi.waitFor(() => expect(relay.stats.bytesUp).toBe(100_000));
    gate.resolve();
    await turn();
    client.stream.write(large.subarray(100_000));
    client.request(5, "After");
    const order = [await agent.nextRequest(), await agent.nextRequest(), await agent.nextRequest()];
    expect(order.map(({ id, method }) => `${id} ${method}`)).toEqual(["1 Large", "3 Edit", "5 After"]);
  });
});

describe("losing and replacing the upstream", () => {
  const byMethod: FrameRelayOptions["onRequest"] = ({ method }) => {
    if (method === "WaitProcess") return { action: "forward", ifLost: "reissue" };
    if (method === "DestroySandbox") return { action: "forward", ifLost: { payload: Buffer.from("gone") } };
    return { action: "forward" };
  };

  it("fails, answers or re-issues each call as decided, and goes on", async () => {
    const lost: (Error | undefined)[] = [];
    const { client, connect, relay } = setUp({
      onRequest: byMethod,
      onUpstreamLost: (cause) => lost.push(cause),
    });
    const first = connect();
    client.request(1, "WaitProcess", "pause");
    client.request(3, "Exec");
    client.request(5, "DestroySandbox");
    for (let count = 0; count < 3; count++) await first.nextRequest();
    first.stream.destroy();
    expect(await client.nextResponse()).toMatchObject({
      id: 3,
      code: 14,
      message: "upstream connection lost",
    });
    expect(await client.nextResponse()).toMatchObject({ id: 5, code: 0, payload: "gone" });
    await vi.waitFor(() => expect(lost).toHaveLength(1));
    client.request(7, "Later", "waits");
    await vi.waitFor(() => expect(relay.stats.pending).toBe(2));
    const second = connect();
    const [again, later] = [await second.nextRequest(), await second.nextRequest()];
    expect([again.id, again.method, again.payload]).toEqual([1, "WaitProcess", "pause"]);
    expect([later.id, later.method, later.payload]).toEqual([3, "Later", "waits"]);
    second.respond(again.id, "137");
    expect(await client.nextResponse()).toMatchObject({ id: 1, payload: "137" });
    expect(relay.stats).toMatchObject({
      reissued: 1,
      pending: 1,
      requests: 4,
      responses: 1,
      answeredHere: 2,
    });
  });

  it("does not send what is overdue when an upstream comes", async () => {
    const { client, connect, relay } = setUp();
    client.request(1, "Check", "", 1_000_000n);
    client.request(3, "Check");
    await vi.waitFor(() => expect(relay.stats.pending).toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const agent = connect();
    expect(await client.nextResponse()).toMatchObject({
      id: 1,
      code: 4,
      message: "context deadline exceeded",
    });
    expect((await agent.nextRequest()).id).toBe(1);
  });

  it("does not send again what has become overdue since it was sent", async () => {
    const { client, connect } = setUp({ onRequest: byMethod });
    const first = connect();
    client.request(1, "WaitProcess", "", 1_000_000n);
    client.request(3, "WaitProcess");
    expect([(await first.nextRequest()).id, (await first.nextRequest()).id]).toEqual([1, 3]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    first.stream.destroy();
    const second = connect();
    expect(await client.nextResponse()).toMatchObject({ id: 1, message: "context deadline exceeded" });
    second.respond((await second.nextRequest()).id, "ended");
    expect(await client.nextResponse()).toMatchObject({ id: 3, payload: "ended" });
  });

  it("answers everything that waits when the owner gives up", async () => {
    const { client, relay } = setUp({ onRequest: byMethod });
    client.request(1, "WaitProcess");
    client.request(3, "Exec");
    await vi.waitFor(() => expect(relay.stats.pending).toBe(2));
    relay.failPending({ code: Code.Unavailable, message: "agent is not there" });
    expect(await client.nextResponse()).toMatchObject({ id: 1, code: 14, message: "agent is not there" });
    expect(await client.nextResponse()).toMatchObject({ id: 3, code: 14, message: "agent is not there" });
    expect(relay.stats.retainedBytes).toBe(0);
  });

  it("answers a call whose edit ends after the owner has given up", async () => {
    const gate = Promise.withResolvers<void>();
    const { client, relay } = setUp({
      onRequest: () => ({ action: "edit", edit: ({ payload }) => gate.promise.then(() => payload) }),
    });
    client.request(1, "CreateContainer");
    await vi.waitFor(() => expect(relay.stats.pending).toBe(1));
    relay.failPending({ code: Code.Unavailable, message: "agent is not there" });
    gate.resolve();
    expect(await client.nextResponse()).toMatchObject({ id: 1, code: 14, message: "agent is not there" });
  });

  it("leaves no half response behind: the call is issued again", async () => {
    const { client, connect } = setUp({ onRequest: byMethod });
    const first = connect();
    client.request(1, "WaitProcess");
    await first.nextRequest();
    first.stream.write(encodeFrameHeader({ length: 100, streamId: 1, type: 2, flags: 0 }));
    first.stream.write(Buffer.alloc(50));
    await turn();
    first.stream.destroy();
    await first.untilClosed();
    const second = connect();
    await second.nextRequest();
    second.respond(1, "whole");
    expect(await client.nextResponse()).toMatchObject({ id: 1, payload: "whole" });
  });

  it("ends the downstream when a large response is cut, since its rest is unknown", async () => {
    const { client, connect, relay } = setUp({ maxHeldResponseBytes: 1000 });
    const agent = connect();
    client.request(1, "GetMetrics");
    await agent.nextRequest();
    agent.stream.write(encodeFrameHeader({ length: 5000, streamId: 1, type: 2, flags: 0 }));
    agent.stream.write(Buffer.alloc(2500));
    await vi.waitFor(() => expect(relay.stats.bytesDown).toBeGreaterThan(1000));
    agent.stream.destroy();
    await client.untilClosed();
    expect((await relay.closed)?.message).toMatch(/in the middle of a response/);
  });

  it("drops the rest of a request that was half sent to the lost upstream", async () => {
    const { client, connect, relay } = setUp();
    const first = connect();
    const large = requestFrame(1, "CopyFile", Buffer.alloc(300_000));
    client.stream.write(large.subarray(0, 100_000));
    await vi.waitFor(() => expect(relay.stats.bytesUp).toBe(100_000));
    first.stream.destroy();
    expect(await client.nextResponse()).toMatchObject({ id: 1, code: 14 });
    const second = connect();
    client.stream.write(large.subarray(100_000));
    await roundTrip(client, second, 3);
    expect(second.frames).toHaveLength(1);
  });

  it("drops an answer that nobody waits for", async () => {
    const { client, connect } = setUp();
    const agent = connect();
    agent.respond(77, "stray");
    await roundTrip(client, agent, 1);
    expect(client.frames).toHaveLength(1);
  });

  it.each([
    ["a Data frame", { length: 0, type: 3 }, Code.Internal],
    ["an oversized answer", { length: MAX_MESSAGE_LENGTH + 1, type: 2 }, Code.ResourceExhausted],
  ])("fails the call that %s answers", async (_what, header, code) => {
    const { client, connect } = setUp();
    const agent = connect();
    client.request(1, "Ping");
    await agent.nextRequest();
    agent.stream.write(encodeFrameHeader({ ...header, streamId: 1, flags: 0 }));
    expect(await client.nextResponse()).toMatchObject({ id: 1, code });
  });

  it("stops reading the downstream when too much waits for an upstream", async () => {
    const { client, connect, relay } = setUp({ maxRetainedBytes: 100_000 });
    for (let id = 1; id < 100; id += 2)
      client.stream.write(requestFrame(id, "WriteStdin", Buffer.alloc(32 << 10)));
    await vi.waitFor(() => expect(relay.stats.retainedBytes).toBeGreaterThan(100_000));
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(relay.stats.retainedBytes).toBeLessThan(400_000);
    const agent = connect();
    for (let count = 0; count < 50; count++) await agent.nextRequest();
    expect(relay.stats.retainedBytes).toBe(0);
  });
});

describe("deadlines and ending", () => {
  it("ends a downstream whose frame stays incomplete", async () => {
    const { client, connect, relay } = setUp({ frameTimeoutMs: 20 });
    connect();
    client.stream.write(Buffer.alloc(4));
    await client.untilClosed();
    expect((await relay.closed)?.message).toBe("a frame was not complete after 20 ms");
  });

  it("takes an upstream whose frame stays incomplete as lost", async () => {
    const lost = Promise.withResolvers<Error | undefined>();
    const { client, connect } = setUp({ frameTimeoutMs: 20, onUpstreamLost: lost.resolve });
    const agent = connect();
    client.request(1, "Ping");
    await agent.nextRequest();
    agent.stream.write(encodeFrameHeader({ length: 10, streamId: 1, type: 2, flags: 0 }));
    expect((await lost.promise)?.message).toBe("a frame was not complete after 20 ms");
    expect(await client.nextResponse()).toMatchObject({ id: 1, code: 14 });
  });

  it("ends a downstream that sends no first frame", async () => {
    const { client, relay } = setUp({ firstFrameTimeoutMs: 20 });
    await client.untilClosed();
    expect((await relay.closed)?.message).toBe("no frame arrived within 20 ms");
  });

  it("ends the upstream with the downstream, which is no loss, and can be closed twice", async () => {
    const onUpstreamLost = vi.fn<() => void>();
    const { client, connect, relay } = setUp({ onUpstreamLost });
    const agent = connect();
    await roundTrip(client, agent, 1);
    client.stream.end();
    await agent.untilClosed();
    relay.close();
    await relay[Symbol.asyncDispose]();
    expect(await relay.closed).toBeUndefined();
    const late = connection();
    relay.connect(late.other);
    await late.peer.untilClosed();
    expect(onUpstreamLost).not.toHaveBeenCalled();
  });
});
