import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import {
  FrameDecoder,
  MessageType,
  connectTtrpc,
  decodeResponse,
  encodeFrame,
  encodeRequest,
} from "@peerpods/ttrpc";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startBench } from "./testing/test-forwarder.ts";
import type { Bench, BenchOptions } from "./testing/test-forwarder.ts";

async function start(options: BenchOptions = {}): Promise<Bench> {
  const bench = await startBench(options);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  return bench;
}

async function tcp(bench: Bench): Promise<Socket> {
  const socket = connect(bench.forwarder.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

const ended = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once("close", resolve));

/** Another client, which must be served whatever the hostile one does. */
async function isServed(bench: Bench): Promise<void> {
  const connection = connectTtrpc(await bench.dial());
  try {
    await createClient(Health, connection.transport).check({}, { timeoutMs: 5_000 });
  } finally {
    connection.close();
  }
}

const waitRequest = encodeRequest({
  service: AgentService.typeName,
  method: "WaitProcess",
  payload: new Uint8Array(),
  timeoutNano: 0n,
  metadata: [],
});

describe("before a client is let in", () => {
  it.each<[string, Buffer]>([
    ["part of a ClientHello", Buffer.from("16030100c8010000c40303", "hex")],
    ["a record longer than TLS has", Buffer.from("160301ffff", "hex")],
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("%s ends at the handshake's deadline at the latest, and nobody is counted", async (_what, bytes) => {
    const bench = await start({ limits: { handshakeTimeoutMs: 150 } });
    const socket = await tcp(bench);
    const closed = ended(socket.resume());
    socket.write(bytes);
    await closed;
    expect(bench.forwarder.clients).toBe(0);
    await isServed(bench);
  });

  it("a handshake that drips does not get more time", async () => {
    const bench = await start({ limits: { handshakeTimeoutMs: 200 } });
    const socket = await tcp(bench);
    const closed = ended(socket.resume());
    socket.write(Buffer.from("16030140000100", "hex"));
    const drip = setInterval(() => socket.write(Buffer.of(0)), 10);
    onTestFinished(() => clearInterval(drip));
    await closed;
    await isServed(bench);
  });
});

describe("a client with the right certificate", () => {
  it("that drips its first frame does not get more time", async () => {
    const bench = await start({ limits: { firstFrameTimeoutMs: 150 } });
    const socket = await bench.dial();
    socket.on("error", () => undefined).resume();
    const closed = ended(socket);
    socket.write(encodeFrame({ streamId: 1, type: MessageType.Request }, Buffer.alloc(1000)).subarray(0, 10));
    const drip = setInterval(() => socket.write(Buffer.of(0)), 10);
    onTestFinished(() => clearInterval(drip));
    await closed;
    await isServed(bench);
  });

  it("that floods with calls is answered beyond the limit, and the agent sees none of those", async () => {
    let running = 0;
    const waitProcess: NonNullable<BenchOptions["methods"]>["waitProcess"] = async (_request, { signal }) => {
      running++;
      await once(signal, "abort");
      return {};
    };
    const bench = await start({ methods: { waitProcess }, limits: { maxCallsPerConnection: 20 } });
    const socket = await bench.dial();
    const refusals: number[] = [];
    const decoder = new FrameDecoder({
      onFrame: ({ streamId, body }) => {
        if (decodeResponse(body).status?.code === Code.ResourceExhausted) refusals.push(streamId);
      },
      onOversize: () => undefined,
    });
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    const calls = Array.from({ length: 500 }, (_, index) =>
      encodeFrame({ streamId: 2 * index + 1, type: MessageType.Request }, waitRequest),
    );
    socket.write(Buffer.concat(calls));
    await vi.waitFor(() => expect(refusals).toHaveLength(480));
    await vi.waitFor(() => expect(running).toBe(20));
    await isServed(bench);
  });

  it("that does not read makes the agent wait; nothing piles up in the forwarder", async () => {
    let answered = 0;
    const methods: BenchOptions["methods"] = {
      getMetrics: () => {
        answered++;
        return { metrics: "m".repeat(1 << 20) };
      },
    };
    const bench = await start({ methods });
    const socket = await bench.dial();
    const connection = connectTtrpc(socket);
    const agent = createClient(AgentService, connection.transport);
    socket.pause();
    const calls = Promise.allSettled(Array.from({ length: 64 }, () => agent.getMetrics({})));
    await vi.waitFor(() => expect(answered).toBe(64));
    await isServed(bench);
    connection.close();
    await calls;
    // 64 MiB were waiting at the agent. What the forwarder had taken of them is in its farewell.
    const bytesDown = (): number[] =>
      bench.logs.flatMap(({ msg, stats }) =>
        msg === "client gone" ? [(stats as { bytesDown: number }).bytesDown] : [],
      );
    await vi.waitFor(() => expect(bytesDown()).toHaveLength(2));
    expect(Math.max(...bytesDown())).toBeLessThan(16 << 20);
  });
});
