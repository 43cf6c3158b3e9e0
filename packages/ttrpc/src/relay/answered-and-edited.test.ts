import { setImmediate as turn } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { requestFrame } from "./testing/raw-peer.ts";
import { roundTrip, setUp } from "./testing/relay-set-up.ts";

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
