import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { encodeFrameHeader, setStreamId } from "../wire/frame.ts";
import { encodeRequest } from "../wire/request.ts";
import { connection, requestFrame } from "./testing/raw-peer.ts";
import { roundTrip, setUp } from "./testing/relay-set-up.ts";

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
