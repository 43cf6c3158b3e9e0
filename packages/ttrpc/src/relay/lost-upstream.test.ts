import { setImmediate as turn } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { MAX_MESSAGE_LENGTH, encodeFrameHeader } from "../wire/frame.ts";
import { requestFrame } from "./testing/raw-peer.ts";
import { roundTrip, setUp } from "./testing/relay-set-up.ts";
import type { FrameRelayOptions } from "./types.ts";

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
