import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import type { TLSSocket } from "node:tls";
import { silentLogger } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CLOCK_SKEW_MS, NodePki, ROTATE_BEFORE_MS, VALIDITY_MS } from "./node-pki.ts";
import type { PodTls } from "./pod-tls.ts";

const serverName = "podvm-web-0123abcd";
let dir: string;
let nowMs: number;

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "peerpods-pki-")), "pki");
  nowMs = Date.now();
});

afterEach(async () => {
  await rm(join(dir, ".."), { recursive: true });
});

const newPki = () => new NodePki({ dir, clock: { now: () => nowMs }, logger: silentLogger });

/** The handshake as forwarder and relay make it; resolves with what the client says, rejects when either side refuses. */
async function handshake(guest: PodTls["guest"], relay: PodTls["relay"]): Promise<string> {
  const server = createServer({
    cert: guest.tlsServerCert,
    key: guest.tlsServerKey,
    ca: guest.tlsClientCa,
    requestCert: true,
    // Judged below, where the reason can be told.
    rejectUnauthorized: false,
  });
  const heard = new Promise<string>((resolve, reject) => {
    server.once("secureConnection", (socket: TLSSocket) => {
      if (!socket.authorized) reject(new Error(`client refused: ${String(socket.authorizationError)}`));
      socket.once("data", (data) => resolve(data.toString()));
      socket.on("error", reject);
    });
  });
  heard.catch(() => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { serverName, ...material } = relay;
  const client = connect({
    ...material,
    servername: serverName,
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
  });
  try {
    await once(client, "secureConnect");
    client.write("hello");
    return await heard;
  } finally {
    client.on("error", () => undefined);
    client.destroy();
    server.close();
  }
}

describe("certificates", () => {
  it("have the fields the forwarder and its operators expect", async () => {
    const { guest, relay } = await newPki().issue(serverName);
    const server = new X509Certificate(guest.tlsServerCert!);
    expect(server.subject).toBe(`O=agent-protocol-forwarder\nCN=${serverName}`);
    expect(server.subjectAltName).toBe(`DNS:${serverName}`);
    expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(server.ca).toBe(false);
    expect(server.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(guest.tlsServerKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const authority = new X509Certificate(relay.ca);
    expect(authority.subject).toBe("O=agent-protocol-forwarder");
    expect(authority.ca).toBe(true);
    expect(server.checkIssued(authority)).toBe(true);
    expect(server.verify(authority.publicKey)).toBe(true);
    const client = new X509Certificate(relay.cert);
    expect(client.subject).toBe("O=cloud-api-adaptor");
    expect(client.ca).toBe(false);
    expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(guest.tlsClientCa).toBe(relay.cert);
    const secondMs = 1000;
    expect(Math.abs(client.validFromDate.getTime() - (nowMs - CLOCK_SKEW_MS))).toBeLessThan(secondMs);
    expect(Math.abs(client.validToDate.getTime() - (nowMs + VALIDITY_MS))).toBeLessThan(secondMs);
    expect(new Set([server, authority, client].map(({ serialNumber }) => serialNumber)).size).toBe(3);
  });

  it("let relay and forwarder recognise each other", async () => {
    const { guest, relay } = await newPki().issue(serverName);
    await expect(handshake(guest, relay)).resolves.toBe("hello");
  });

  it("refuse another pod's VM, another node's relay, and a VM that poses as the relay", async () => {
    const pki = newPki();
    const mine = await pki.issue(serverName);
    const other = await pki.issue("podvm-other-0123abcd");
    const foreign = await new NodePki({
      dir: join(dir, "foreign"),
      clock: { now: () => nowMs },
      logger: silentLogger,
    }).issue(serverName);
    await expect(handshake(other.guest, mine.relay)).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    await expect(handshake(foreign.guest, mine.relay)).rejects.toMatchObject({
      code: "CERT_SIGNATURE_FAILURE",
    });
    await expect(handshake(mine.guest, { ...foreign.relay, ca: mine.relay.ca })).rejects.toThrow(
      "client refused",
    );
    const impostor = { ...mine.relay, cert: other.guest.tlsServerCert!, key: other.guest.tlsServerKey! };
    await expect(handshake(mine.guest, impostor)).rejects.toThrow("client refused");
  });
});

describe("on disk", () => {
  it("survives a restart, readable by root only", async () => {
    const first = await newPki().issue(serverName);
    const second = await newPki().issue(serverName);
    expect(second.relay).toEqual(first.relay);
    expect(second.guest.tlsServerKey).not.toBe(first.guest.tlsServerKey);
    const [generation] = await readdir(dir);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, generation!))).mode & 0o777).toBe(0o700);
    for (const name of await readdir(join(dir, generation!))) {
      expect((await stat(join(dir, generation!, name))).mode & 0o777).toBe(0o600);
    }
  });

  it("is made once, however many ask", async () => {
    const pki = newPki();
    const issued = await Promise.all(Array.from({ length: 5 }, () => pki.issue(serverName)));
    expect(new Set(issued.map(({ relay }) => relay.cert)).size).toBe(1);
    expect(await readdir(dir)).toEqual(["generation-1"]);
  });

  it("is replaced at half of its life, while what was given out goes on working", async () => {
    const pki = newPki();
    const before = await pki.issue(serverName);
    nowMs += VALIDITY_MS - ROTATE_BEFORE_MS - 60_000;
    expect((await pki.issue(serverName)).relay.cert).toBe(before.relay.cert);
    nowMs += 120_000;
    const after = await pki.issue(serverName);
    expect(after.relay.cert).not.toBe(before.relay.cert);
    expect(await readdir(dir)).toEqual(["generation-2"]);
    await expect(handshake(before.guest, before.relay)).resolves.toBe("hello");
    expect((await newPki().issue(serverName)).relay.cert).toBe(after.relay.cert);
  });

  it("is replaced when damaged", async () => {
    const before = await newPki().issue(serverName);
    await writeFile(join(dir, "generation-1", "client.key"), "nonsense");
    const after = await newPki().issue(serverName);
    expect(after.relay.cert).not.toBe(before.relay.cert);
    expect(await readdir(dir)).toEqual(["generation-2"]);
  });

  it("that cannot be written is an error at once", async () => {
    await writeFile(dir, "a file where the directory should be");
    await expect(newPki().load()).rejects.toMatchObject({ code: "EEXIST" });
  });
});
