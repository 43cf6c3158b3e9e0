import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { Health } from "@peerpods/kata-protocols/health";
import { connectTtrpc } from "@peerpods/ttrpc";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeClient, makeNodeIdentities } from "./testing/certificates.ts";
import { startBench } from "./testing/test-forwarder.ts";
import type { Bench, BenchOptions } from "./testing/test-forwarder.ts";

const benches: Bench[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const bench of benches.splice(0)) await bench[Symbol.asyncDispose]();
});

async function start(options: BenchOptions = {}): Promise<Bench> {
  const bench = await startBench(options);
  benches.push(bench);
  return bench;
}

function tcp(bench: Bench): Socket {
  const socket = connectTcp(bench.forwarder.port, "127.0.0.1");
  socket.on("error", () => undefined);
  sockets.push(socket);
  return socket;
}

async function check(bench: Bench, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = await bench.dial(options);
  const health = createClient(Health, connectTtrpc(socket).transport);
  await health.check({}, { timeoutMs: 5000 });
  return socket;
}

/** The code of the error that a connection ends with, at the latest when it is read. */
async function refusal(bench: Bench, options: ConnectionOptions): Promise<string> {
  try {
    const socket = await bench.dial(options);
    socket.resume();
    // Under TLS 1.3 the client's side of the handshake ends before the server has looked at the certificate.
    await once(socket, "end");
    return "closed without a word";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

describe("who is let in", () => {
  it("is the relay: mutual TLS 1.3, and TLS 1.2 as well", async () => {
    const bench = await start();
    expect((await check(bench)).getProtocol()).toBe("TLSv1.3");
    expect((await check(bench, { maxVersion: "TLSv1.2" })).getProtocol()).toBe("TLSv1.2");
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "is nobody without a client certificate (%s)",
    async (maxVersion) => {
      const bench = await start();
      const code = await refusal(bench, { cert: undefined, key: undefined, maxVersion });
      expect(code).toMatch(/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/);
      expect(bench.forwarder.clients).toBe(0);
      await check(bench);
    },
  );

  it("is nobody with a certificate of nobody's CA", async () => {
    const bench = await start();
    const stranger = await makeClient();
    expect(await refusal(bench, { cert: stranger.cert, key: stranger.key })).toBe("closed without a word");
    expect(bench.forwarder.clients).toBe(0);
    const reason = "DEPTH_ZERO_SELF_SIGNED_CERT";
    expect(bench.logs).toContainEqual(expect.objectContaining({ msg: "client was not let in", reason }));
    await check(bench);
  });

  it("is nobody with the right certificate after it has expired", async () => {
    const client = await makeClient({ expired: true });
    const bench = await start({ clientCa: client.cert });
    expect(await refusal(bench, { cert: client.cert, key: client.key })).toBe("closed without a word");
    expect(bench.forwarder.clients).toBe(0);
    expect(bench.logs).toContainEqual(expect.objectContaining({ reason: "CERT_HAS_EXPIRED" }));
  });

  it("is no server certificate of the same node either", async () => {
    const bench = await start();
    const other = await bench.identities.server("podvm-other");
    expect(await refusal(bench, { cert: other.cert, key: other.key })).toBe("closed without a word");
    expect(bench.forwarder.clients).toBe(0);
  });

  it("is no client below the minimum version", async () => {
    const bench = await start({ tlsMinVersion: "VersionTLS13" });
    expect(await refusal(bench, { maxVersion: "TLSv1.2" })).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    await check(bench);
  });

  it("is no client with TLS 1.1, whatever the profile", async () => {
    const bench = await start();
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    expect(await refusal(bench, old)).toMatch(/^ERR_SSL_/);
  });

  it("is no client that speaks plain ttrpc", async () => {
    const bench = await start();
    const socket = tcp(bench);
    const answer = once(socket, "data").catch(() => []);
    socket.write(Buffer.from("0000001400000001010000", "hex"));
    await once(socket, "close");
    const [alert] = (await Promise.race([answer, Promise.resolve([])])) as [Buffer?];
    expect(alert?.[0] ?? 0x15).toBe(0x15);
    expect(bench.agent.calls).toEqual([]);
    await check(bench);
  });
});

describe("what a client can tell of the forwarder", () => {
  it.each([
    ["another name", { servername: "podvm-other" }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["an expired certificate", {}, "CERT_HAS_EXPIRED"],
  ])("is %s", async (what, options, code) => {
    const bench = await start({ expired: what.includes("expired") });
    expect(await refusal(bench, options)).toBe(code);
  });

  it("is another node's CA", async () => {
    const bench = await start();
    const { serverCa } = await makeNodeIdentities();
    expect(await refusal(bench, { ca: serverCa })).toMatch(/^CERT_SIGNATURE_FAILURE$|^UNABLE_TO_/);
  });
});

describe("limits", () => {
  it("drops connections that never begin a handshake, while clients go on", async () => {
    const bench = await start({ limits: { handshakeTimeoutMs: 200 } });
    const idle = Array.from({ length: 50 }, () => tcp(bench));
    const closed = Promise.all(idle.map((socket) => once(socket, "close")));
    await check(bench);
    await closed;
    await check(bench);
  });

  it("drops the oldest handshake when there are too many", async () => {
    const bench = await start({ limits: { maxHandshakes: 4, handshakeTimeoutMs: 60_000 } });
    const first = tcp(bench);
    const firstClosed = once(first, "close");
    await once(first, "connect");
    const others = Array.from({ length: 4 }, () => tcp(bench));
    await Promise.all(others.map((socket) => once(socket, "connect")));
    await firstClosed;
    await check(bench);
  });

  it("refuses clients above the limit, and lets one in when another goes", async () => {
    const bench = await start({ limits: { maxConnections: 1 } });
    const first = await check(bench);
    expect(await refusal(bench, {})).toMatch(/closed without a word|ECONNRESET/);
    first.destroy();
    await vi.waitFor(() => expect(bench.forwarder.clients).toBe(0));
    await check(bench);
  });

  it("drops a client that sends nothing", async () => {
    const bench = await start({ limits: { firstFrameTimeoutMs: 30 } });
    const socket = await bench.dial();
    socket.resume();
    socket.on("error", () => undefined);
    await once(socket, "close");
    await vi.waitFor(() => expect(bench.forwarder.clients).toBe(0));
  });
});

it("an address that is taken is named", async () => {
  const bench = await start();
  const { startForwarder } = await import("./forwarder.ts");
  const { pino } = await import("pino");
  const second = startForwarder({
    listen: { host: "127.0.0.1", port: bench.forwarder.port },
    tls: undefined,
    agentSocket: bench.agentPath,
    podNetns: "/run/netns/podns",
    volumes: { attach: async () => undefined, detachAll: async () => undefined },
    logger: pino({ level: "silent" }),
  });
  await expect(second).rejects.toMatchObject({
    code: "listen",
    message: expect.stringMatching(/^cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/),
  });
});
