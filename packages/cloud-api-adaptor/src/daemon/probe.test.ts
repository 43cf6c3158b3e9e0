import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { serveProbe, type ProbeServer } from "./probe.ts";

async function start(): Promise<ProbeServer> {
  const server = await serveProbe({ isReady: () => Promise.resolve(true) }, 0);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function open({ port }: ProbeServer): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

it("closes what sends part of a request and then drips", { timeout: 40_000 }, async () => {
  const server = await start();
  const socket = await open(server);
  socket.write("GET /livez HTTP/1.1\r\nhost: x\r\n");
  const drip = setInterval(() => socket.write("a: b\r\n"), 500);
  onTestFinished(() => clearInterval(drip));
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  const response = await fetch(`http://127.0.0.1:${server.port}/livez`);
  expect(response.status).toBe(200);
});

it("closes connections above its limit, and has room again when others leave", async () => {
  const server = await start();
  const held = await Promise.all(Array.from({ length: 32 }, () => open(server)));
  const beyond = await open(server);
  await once(beyond, "close");
  const [first] = held as [Socket];
  first.end();
  await once(first, "close");
  await expect
    .poll(() => fetch(`http://127.0.0.1:${server.port}/readyz`).then(({ status }) => status, String), {
      timeout: 10_000,
    })
    .toBe(200);
});

it.each(["GET /nothing HTTP/1.1", "POST /metrics HTTP/1.1", "noise", "GET /%00../metrics HTTP/1.1"])(
  "answers %j with an error",
  async (line) => {
    const socket = await open(await start());
    socket.write(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[04] /);
  },
);
