import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:tls";
import { encodeFrame, encodeFrameHeader, encodeStatus, MessageType } from "@peerpods/ttrpc";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RelayTarget } from "../sandbox/relay-port.ts";
import { dialShim, startFixture } from "./testing/fixture.ts";
import type { TestTls } from "./testing/tls.ts";

const never = { signal: new AbortController().signal };

/** What the relay asks of a forwarder before it takes it for one: a refusal of its even stream id. */
const signOfLife = encodeFrame(
  { streamId: 2, type: MessageType.Response },
  encodeStatus({ code: 3, message: "StreamID must be odd", details: [] }),
);
const oversize = encodeFrameHeader({
  length: 0xffff_ffff,
  streamId: 1,
  type: MessageType.Response,
  flags: 0,
});
const halfFrame = encodeFrameHeader({ length: 100, streamId: 1, type: MessageType.Response, flags: 0 });

/** A VM that has the pod's own key, and is not what it should be. Each connection is handed to `act`. */
async function hostileVm(tls: TestTls, act: (socket: Socket) => void): Promise<RelayTarget> {
  const sockets = new Set<Socket>();
  const server = createServer({ ...tls.server, requestCert: true, rejectUnauthorized: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    act(socket);
  });
  server.on("tlsClientError", () => undefined);
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

async function fixtureWithBystander() {
  const fixture = await startFixture({ reconnectTimeoutMs: 300, silenceTimeoutMs: 200 });
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const bystander = fixture.request("bystander");
  await fixture.table.open(bystander, never);
  const shim = await dialShim(bystander.socketPath);
  onTestFinished(() => shim[Symbol.asyncDispose]());
  return { ...fixture, shim };
}

describe("a hostile VM is not taken for a forwarder, and leaves nothing at the relay", () => {
  it.each<[string, (socket: Socket) => void]>([
    ["says nothing", () => undefined],
    ["closes at once", (socket) => socket.destroy()],
    ["sends garbage", (socket) => void socket.write(Buffer.alloc(64 * 1024, 0xa5))],
    ["announces a frame of 4 GiB", (socket) => void socket.write(oversize)],
    ["sends half a frame", (socket) => void socket.write(halfFrame)],
    [
      "answers what nobody asked",
      (socket) => void socket.write(encodeFrame({ streamId: 1, type: 2 }, new Uint8Array())),
    ],
    [
      "never stops sending",
      (socket) => {
        const more = (): void => {
          while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024)));
        };
        socket.on("drain", more);
        more();
      },
    ],
  ])("that %s", async (_what, act) => {
    const { table, tls, request, shim } = await fixtureWithBystander();
    const target = await hostileVm(tls, act);
    const opening = table.open(request("victim", { target, dialTimeoutMs: 700 }), never);
    await expect(opening).rejects.toMatchObject({
      name: "RelayError",
      code: expect.stringMatching(/^(unreachable|refused)$/),
    });
    expect((await table.list(never)).map(({ sandboxId }) => sandboxId)).toEqual(["bystander"]);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
  });
});

describe("a VM that turns hostile later loses its connection, not the relay", () => {
  it.each<[string, Uint8Array]>([
    ["garbage", Buffer.alloc(4096, 0xa5)],
    ["a frame of 4 GiB", oversize],
    ["a request of its own", encodeFrame({ streamId: 1, type: MessageType.Request }, new Uint8Array())],
  ])("%s", async (_what, bytes) => {
    const { table, tls, request, shim } = await fixtureWithBystander();
    const connections: Socket[] = [];
    const target = await hostileVm(tls, (socket) => {
      // The first connection behaves until it is asked for something; later ones never do.
      if (connections.push(socket) > 1) socket.destroy();
      else socket.once("data", () => void socket.write(signOfLife));
    });
    const victim = request("victim", { target });
    await table.open(victim, never);
    const client = await dialShim(victim.socketPath);
    onTestFinished(() => client[Symbol.asyncDispose]());
    const call = client.agent.getGuestDetails({}).then(
      () => "answered",
      () => "failed",
    );
    await expect.poll(() => connections[0]?.bytesRead ?? 0).toBeGreaterThan(10);
    connections[0]?.write(bytes);
    const states = async () =>
      new Map((await table.list(never)).map(({ sandboxId, state }) => [sandboxId, state]));
    const both = new Map([
      ["bystander", "connected"],
      ["victim", "lost"],
    ]);
    // The shim's health checks tell, whatever the frames look like.
    const checked = async () => {
      void client.health.check({}).catch(() => undefined);
      return await states();
    };
    await expect.poll(checked, { timeout: 4_000 }).toEqual(both);
    await expect(call).resolves.toBe("failed");
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
  });
});
