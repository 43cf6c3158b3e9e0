import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import type { ConnectRouter } from "@connectrpc/connect";
import { silentLogger } from "@peerpods/cloud-providers";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { GetInfoRequestSchema, PodVMInfo } from "@peerpods/kata-protocols/podvminfo";
import {
  FrameDecoder,
  MessageType,
  decodeResponse,
  dialTtrpc,
  encodeFrame,
  encodeRequest,
} from "@peerpods/ttrpc";
import type { TtrpcServerOptions } from "@peerpods/ttrpc";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { controlRoutes } from "./control/service.ts";
import { Control } from "./gen/peerpods/control/v1/control_pb.ts";
import { Relay } from "./gen/peerpods/relay/v1/relay_pb.ts";
import { hypervisorRoutes } from "./hypervisor/routes.ts";
import { createLocalServer } from "./local-socket.ts";
import { relayRoutes } from "./relay/control/service.ts";
import { makeTable } from "./relay/testing/fixture.ts";
import { World } from "./sandbox/testing/world.ts";

/** One of our sockets: what is served there, a call that is answered at once, and one that never is. */
interface Subject {
  readonly name: string;
  readonly routes: (directory: string) => Promise<(router: ConnectRouter) => void>;
  readonly quickCall: (path: string) => Promise<unknown>;
  /** Service and method of a call that waits, and its request. */
  readonly waiting: { readonly service: string; readonly method: string; readonly payload: Uint8Array };
}

async function onConnection<T>(
  path: string,
  act: (connection: Awaited<ReturnType<typeof dialTtrpc>>) => Promise<T>,
): Promise<T> {
  await using connection = await dialTtrpc({ path }, { signal: AbortSignal.timeout(5_000) });
  return await act(connection);
}

const subjects: readonly Subject[] = [
  {
    name: "hypervisor.sock",
    async routes() {
      const world = new World();
      onTestFinished(() => world[Symbol.asyncDispose]());
      const options = { podsDir: "/run/peerpod/pods", multiNic: false, logger: silentLogger };
      return hypervisorRoutes(await world.daemon(), options);
    },
    quickCall: (path) =>
      onConnection(path, ({ transport }) => createClient(Hypervisor, transport).version({})),
    waiting: {
      service: PodVMInfo.typeName,
      method: "GetInfo",
      payload: toBinary(
        GetInfoRequestSchema,
        create(GetInfoRequestSchema, { PodName: "never", PodNamespace: "comes", Wait: true }),
      ),
    },
  },
  {
    name: "control.sock",
    async routes() {
      const world = new World();
      onTestFinished(() => world[Symbol.asyncDispose]());
      return controlRoutes({
        lifecycle: await world.daemon(),
        relay: world.relay,
        cloud: world.cloud,
        failedStarts: { list: async () => [] },
        options: [],
        recentLog: () => [],
        version: "test",
        provider: "test",
        hypervisorSocket: "",
        sandboxLimit: -1,
        startedAtMs: 0,
        logger: silentLogger,
      });
    },
    quickCall: (path) => onConnection(path, ({ transport }) => createClient(Control, transport).info({})),
    waiting: { service: Control.typeName, method: "WatchSandboxes", payload: new Uint8Array() },
  },
  {
    name: "relay.sock",
    async routes(directory) {
      const table = makeTable(directory);
      onTestFinished(() => table[Symbol.asyncDispose]());
      return relayRoutes(table, { pid: 1 });
    },
    quickCall: (path) => onConnection(path, ({ transport }) => createClient(Relay, transport).hello({})),
    waiting: { service: Relay.typeName, method: "Watch", payload: new Uint8Array() },
  },
];

async function serve(subject: Subject, options: TtrpcServerOptions = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "peerpods-socket-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const server = createLocalServer(await subject.routes(directory), options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const path = join(directory, "local.sock");
  await server.listen({ path });
  return path;
}

async function stranger(path: string): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Resolves when the other side has ended the connection, in whichever way. */
function ended(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once("close", resolve));
}

function waitingCalls({ waiting }: Subject, count: number): Buffer {
  const body = encodeRequest({ ...waiting, timeoutNano: 0n, metadata: [] });
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      encodeFrame({ streamId: 2 * index + 1, type: MessageType.Request, flags: 1 }, body),
    ),
  );
}

describe.each(subjects)("$name", (subject) => {
  it("ends a connection on which no first frame comes, or only a part of one, however it drips", async () => {
    const path = await serve(subject, { firstFrameTimeoutMs: 150 });
    const sockets = await Promise.all([stranger(path), stranger(path), stranger(path)]);
    const [, half, dripping] = sockets;
    const closed = Promise.all(sockets.map((socket) => ended(socket.resume())));
    half?.write(waitingCalls(subject, 1).subarray(0, 7));
    dripping?.write(waitingCalls(subject, 1).subarray(0, 10));
    const drip = setInterval(() => dripping?.write(Buffer.of(0)), 10);
    onTestFinished(() => clearInterval(drip));
    await closed;
    await subject.quickCall(path);
  });

  it("refuses connections above the limit at once, and takes callers again when those have left", async () => {
    const path = await serve(subject, { maxConnections: 20 });
    const flood = await Promise.all(Array.from({ length: 20 }, () => stranger(path)));
    const refused = await stranger(path);
    await ended(refused.resume());
    await expect(subject.quickCall(path)).rejects.toMatchObject({ code: Code.Unavailable });
    for (const socket of flood) socket.destroy();
    await vi.waitFor(() => subject.quickCall(path), { timeout: 5_000 });
  });

  it("bounds the calls of one connection, answers those beyond, and serves others", async () => {
    const path = await serve(subject, { maxCallsPerConnection: 10 });
    const refusals = new Set<number>();
    const socket = await stranger(path);
    const decoder = new FrameDecoder({
      onFrame: ({ type, streamId, body }) => {
        if (type !== MessageType.Response) return;
        if (decodeResponse(body).status?.code === Code.ResourceExhausted) refusals.add(streamId);
      },
      onOversize: () => undefined,
    });
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    socket.write(waitingCalls(subject, 1000));
    await vi.waitFor(() => expect(refusals.size).toBe(990), { timeout: 5_000 });
    await subject.quickCall(path);
  });

  it("stops reading from a peer that takes no answers, gives it up, and serves others meanwhile", async () => {
    const path = await serve(subject, { writeTimeoutMs: 300, maxCallsPerConnection: 1 });
    const socket = await stranger(path);
    socket.pause();
    const closed = ended(socket);
    // Every call beyond the first is answered, and nobody takes the answers.
    const flood = waitingCalls(subject, 50_000);
    let taken = false;
    socket.write(flood, (error) => {
      taken = error === undefined || error === null;
    });
    await subject.quickCall(path);
    await closed;
    expect(taken).toBe(false);
    await subject.quickCall(path);
  });

  it("ends what speaks another protocol, and serves others", async () => {
    const path = await serve(subject);
    const tlsHello = Buffer.from("16030100c8010000c40303a1b2c3d4e5", "hex");
    for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), tlsHello, Buffer.alloc(4096, 0xff)]) {
      const socket = await stranger(path);
      const closed = ended(socket.resume());
      socket.write(bytes);
      await closed;
    }
    await subject.quickCall(path);
  });
});
