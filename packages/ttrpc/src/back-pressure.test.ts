import { Buffer } from "node:buffer";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { echoRoutes } from "../testing/echo-service.ts";
import { Echo } from "../testing/gen/echo_pb.ts";
import { createEchoPair } from "../testing/pair.ts";
import { requestFrame } from "../testing/raw-peer.ts";
import { connectTtrpc, createTtrpcServer } from "./index.ts";

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "succeeded",
    (error: unknown) => error,
  );

const TEXT = "x".repeat(32 << 10);
/** What may be under way: 64 messages kept for the reader, and a few within the two streams below. */
const MOST_UNDER_WAY = 64 + 16;

describe("back-pressure", () => {
  test("a server stream does not run ahead of a slow reader", async () => {
    let sent = 0;
    await using pair = createEchoPair({
      replaced: {
        async *chat() {
          for (; sent < 500; sent++) yield { value: TEXT };
        },
      },
    });
    let read = 0;
    let ahead = 0;
    for await (const _ of pair.client.chat((async function* () {})())) {
      read++;
      ahead = Math.max(ahead, sent - read);
      await nextTurn();
    }
    expect(read).toBe(500);
    expect(ahead).toBeGreaterThan(1);
    expect(ahead).toBeLessThanOrEqual(MOST_UNDER_WAY);
  });

  test("a client stream does not run ahead of a slow handler", async () => {
    let sent = 0;
    let ahead = 0;
    await using pair = createEchoPair({
      replaced: {
        async *chat(messages) {
          let read = 0;
          for await (const _ of messages) {
            read++;
            ahead = Math.max(ahead, sent - read);
            await nextTurn();
          }
          yield { value: `${read}` };
        },
      },
    });
    async function* input() {
      for (; sent < 500; sent++) yield { value: TEXT };
    }
    for await (const { value } of pair.client.chat(input())) expect(value).toBe("500");
    expect(ahead).toBeGreaterThan(1);
    expect(ahead).toBeLessThanOrEqual(MOST_UNDER_WAY);
  });

  test("a stream that nobody reads fails after a while, and the other calls go on", async () => {
    await using pair = createEchoPair({ client: { streamStallTimeoutMs: 20 } });
    const stalled = pair.client.count({ value: 1_000_000 })[Symbol.asyncIterator]();
    expect(await stalled.next()).toMatchObject({ done: false });
    expect(await pair.client.say({ value: "on" })).toMatchObject({ value: "on" });
    expect(await failure(stalled.next())).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "ttrpc: stream buffer full: the reader took nothing for 20 ms",
    });
  });

  test("a handler that does not read its input fails its call, and the other calls go on", async () => {
    const released = Promise.withResolvers<void>();
    await using pair = createEchoPair({
      server: { streamStallTimeoutMs: 20 },
      replaced: {
        sum: (_numbers, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          }),
      },
    });
    async function* endless() {
      try {
        for (let value = 0; ; value++) yield { value };
      } finally {
        released.resolve();
      }
    }
    expect(await failure(pair.client.sum(endless()))).toMatchObject({ code: Code.ResourceExhausted });
    await released.promise;
    expect(await pair.client.say({ value: "on" })).toMatchObject({ value: "on" });
  });

  test("requests of a peer that takes no answers are not read, and it is given up", async () => {
    // Real sockets: pairs in memory hand over all that is buffered in one go.
    const directory = await mkdtemp(join(tmpdir(), "ttrpc-pressure-"));
    let calls = 0;
    const server = createTtrpcServer(
      echoRoutes({
        produce: () => {
          calls++;
          return { value: Buffer.alloc(64 << 10) };
        },
      }),
      { writeTimeoutMs: 1000 },
    );
    try {
      const path = join(directory, "echo.sock");
      await server.listen({ path });
      // Nothing reads from it.
      const peer = connect(path).on("error", () => undefined);
      for (let id = 1; id < 20_000; id += 2) peer.write(requestFrame(id, "Produce"));
      await new Promise((resolve) => peer.once("close", resolve));
      // One chunk of requests may be worked off beyond the megabyte that is allowed to wait.
      expect(calls).toBeGreaterThan(16);
      expect(calls).toBeLessThan(3000);
    } finally {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    }
  });

  test("a peer that reads slowly, but reads, is not given up", async () => {
    const [clientSide, serverSide] = duplexPair();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const server = createTtrpcServer(echoRoutes(), { writeTimeoutMs: 60_000 });
    try {
      const served = server.serve(serverSide);
      const state = { open: true };
      void served.closed.then(() => (state.open = false));
      // 4 MB of answers, of which the peer takes a little every 50 s.
      for (let id = 1; id <= 127; id += 2) {
        clientSide.write(requestFrame(id, "Produce", { payload: Buffer.from("08808004", "hex") }));
      }
      let received = 0;
      let steps = 0;
      while (received < 64 * (64 << 10) && state.open) {
        await nextTurn();
        received += (clientSide.read() as Buffer | null)?.length ?? 0;
        vi.advanceTimersByTime(50_000);
        steps++;
      }
      expect(state.open).toBe(true);
      expect(steps).toBeGreaterThan(10);
    } finally {
      vi.useRealTimers();
      clientSide.destroy();
      await server[Symbol.asyncDispose]();
    }
  });

  test("callers wait for a server that does not read, and are all served when it does", async () => {
    const [clientSide, serverSide] = duplexPair();
    const waiting: number[] = [];
    const write = clientSide.write.bind(clientSide);
    vi.spyOn(clientSide, "write").mockImplementation((chunk: Buffer) => {
      waiting.push(clientSide.writableLength);
      return write(chunk);
    });
    const connection = connectTtrpc(clientSide);
    const server = createTtrpcServer(echoRoutes());
    try {
      const client = createClient(Echo, connection.transport);
      const calls = Array.from({ length: 300 }, () => client.say({ value: TEXT }));
      await nextTurn();
      expect(waiting.length).toBeLessThan(10);
      server.serve(serverSide);
      expect(await Promise.all(calls)).toHaveLength(300);
      // Also when the server begins to read, they do not all write at once.
      expect(waiting).toHaveLength(300);
      expect(Math.max(...waiting)).toBeLessThan(4 * TEXT.length);
    } finally {
      await connection[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    }
  });
});
