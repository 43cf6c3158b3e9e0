import { createTtrpcServer } from "@peerpods/ttrpc";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, onTestFinished } from "vitest";
import { Relay } from "../../gen/peerpods/relay/v1/relay_pb.ts";
import type { RelayControl, RelaySandbox } from "../../sandbox/relay-port.ts";
import { RelayError } from "../errors.ts";
import type { RelayErrorCode } from "../errors.ts";
import { startFixture, untilEvent } from "../testing/fixture.ts";
import { createRelayClient } from "./client.ts";
import { fromConnectError, toConnectError } from "./errors-on-wire.ts";
import { relayRoutes } from "./service.ts";

const never = { signal: new AbortController().signal };

async function controlled() {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const socketPath = join(fixture.directory, "relay.sock");
  const server = createTtrpcServer(relayRoutes(fixture.table, { pid: 1 }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.listen({ path: socketPath });
  return { ...fixture, socketPath, relay: createRelayClient({ socketPath }) };
}

describe("over the control socket", () => {
  it("says hello, opens, lists and closes as the relay itself does", async () => {
    const { relay, table, request } = await controlled();
    expect(await relay.hello(never)).toEqual({ protocol: 2, version: "test" });
    await relay.open(request("sb1"), never);
    expect(await relay.list(never)).toEqual(await table.list(never));
    await relay.close("sb1", never);
    expect(await relay.list(never)).toEqual([]);
  });

  it("an error arrives as the same error", async () => {
    const { relay, request } = await controlled();
    await relay.open(request("sb1"), never);
    await expect(
      relay.open(request("sb1", { target: { host: "127.0.0.9", port: 9 } }), never),
    ).rejects.toMatchObject({ name: "RelayError", code: "conflict", retryable: false });
    await expect(relay.open(request("../up"), never)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("sandboxId"),
    });
  });

  it("an aborted open is noticed by the relay, which leaves nothing", async () => {
    const { relay, table, proxy, request } = await controlled();
    proxy.silence();
    const leaving = new AbortController();
    const opening = relay.open(request("sb1"), leaving);
    await untilEvent(table.watch(never), (event) => event.type === "changed");
    leaving.abort(new Error("gave up"));
    await expect(opening).rejects.toThrow("gave up");
    await expect.poll(() => table.size).toBe(0);
  });

  it("watches: what is there, then changes, until the signal aborts", async () => {
    const { relay, request, proxy } = await controlled();
    await relay.open(request("sb1"), never);
    const leaving = new AbortController();
    const states: string[] = [];
    const watching = (async () => {
      for await (const event of relay.watch(leaving)) {
        states.push(event.type === "changed" ? event.sandbox.state : "closed");
        if (states.at(-1) === "connected" && states.length === 1) proxy.cut();
        if (states.at(-1) === "connected" && states.length > 1) await relay.close("sb1", never);
        if (states.at(-1) === "closed") leaving.abort(new Error("enough"));
      }
    })();
    await expect(watching).rejects.toThrow("enough");
    expect(states).toEqual(["connected", "reconnecting", "connected", "closed"]);
  });

  it("says `unavailable` and where, when no relay answers", async () => {
    const relay = createRelayClient({ socketPath: "/nonexistent/relay.sock" });
    await expect(relay.list(never)).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
      message: expect.stringContaining("/nonexistent/relay.sock"),
    });
    const events = relay.watch(never)[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("a watch ends with `unavailable` when the relay goes away", async () => {
    const socketPath = join((await controlled()).directory, "short.sock");
    const server = createTtrpcServer(relayRoutes((await controlled()).table, { pid: 1 }));
    onTestFinished(() => server[Symbol.asyncDispose]());
    await server.listen({ path: socketPath });
    const watching = untilEvent(createRelayClient({ socketPath }).watch(never), () => false);
    setTimeout(() => void server[Symbol.asyncDispose](), 50);
    await expect(watching).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a relay of protocol 1", () => {
  /** As the first version answered: no Watch, no process id, no reconnect count. */
  async function oldRelay(sandboxes: { list: RelaySandbox[] }): Promise<RelayControl> {
    const { directory } = await controlled();
    const socketPath = join(directory, "old.sock");
    const server = createTtrpcServer((router) =>
      router.service(Relay, {
        hello: () => ({ protocol: 1, version: "0.0.1" }),
        open: ({ sandboxId }) => {
          sandboxes.list.push(sandbox(sandboxId));
          return {};
        },
        close: ({ sandboxId }) => {
          sandboxes.list = sandboxes.list.filter((entry) => entry.sandboxId !== sandboxId);
          return {};
        },
        list: () => ({
          sandboxes: sandboxes.list.map(({ sandboxId, socketPath: path, target }) => ({
            sandboxId,
            socketPath: path,
            target,
            state: 2,
            shim: 2,
          })),
        }),
        watch: () => {
          throw new ConnectError("method Watch", Code.Unimplemented);
        },
      }),
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    await server.listen({ path: socketPath });
    return createRelayClient({ socketPath, pollIntervalMs: 10 });
  }

  const sandbox = (sandboxId: string): RelaySandbox => ({
    sandboxId,
    socketPath: `/run/${sandboxId}.ttrpc`,
    target: { host: "10.0.0.1", port: 15_150 },
    state: "connected",
    shim: "connected",
    sinceMs: 0,
    frames: { toVm: 0, toShim: 0 },
    bytes: { toVm: 0, toShim: 0 },
    reconnects: 0,
  });

  it("is driven: hello, open, list, close", async () => {
    const relay = await oldRelay({ list: [] });
    expect(await relay.hello(never)).toEqual({ protocol: 1, version: "0.0.1" });
    const target = { host: "10.0.0.1", port: 15_150 };
    await relay.open({ sandboxId: "a", socketPath: "/run/a.ttrpc", target, dialTimeoutMs: 1 }, never);
    expect(await relay.list(never)).toEqual([sandbox("a")]);
    await relay.close("a", never);
    expect(await relay.list(never)).toEqual([]);
  });

  it("is watched by asking again", async () => {
    const state = { list: [sandbox("a")] };
    const relay = await oldRelay(state);
    const seen: string[] = [];
    for await (const event of relay.watch(never)) {
      seen.push(event.type === "changed" ? `+${event.sandbox.sandboxId}` : `-${event.sandboxId}`);
      if (seen.length === 1) state.list = [sandbox("b")];
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(["+a", "+b", "-a"]);
  });
});

describe("error codes", () => {
  it.each<RelayErrorCode>([
    "invalid_request",
    "conflict",
    "limit",
    "unreachable",
    "refused",
    "closed",
    "unavailable",
    "unsupported",
  ])("%s survives the wire", (code) => {
    expect(fromConnectError(toConnectError(new RelayError(code, "text")))).toMatchObject({
      code,
      message: "text",
    });
  });
});
