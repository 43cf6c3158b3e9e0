import { Code } from "@connectrpc/connect";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { MAX_MESSAGE_LENGTH, encodeFrameHeader } from "../wire/frame.ts";
import { roundTrip, setUp } from "./testing/relay-set-up.ts";

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
