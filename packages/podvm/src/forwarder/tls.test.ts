import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApfConfig } from "@peerpods/podvm-contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeNodeIdentities } from "./testing/certificates.ts";
import type { Identity, NodeIdentities } from "./testing/certificates.ts";
import { resolveServerTls } from "./tls.ts";

let directory: string;
let node: NodeIdentities;
let server: Identity;
let other: Identity;
const flags = { clientCaFile: "", certFile: "", keyFile: "", tlsSkipVerify: false, disableTls: false };
const noTls: ApfConfig = { podNamespace: "", podName: "" };
let automatic: ApfConfig;
const file = async (name: string, content: string) => {
  await writeFile(join(directory, name), content);
  return join(directory, name);
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "forwarder-tls-"));
  node = await makeNodeIdentities();
  server = await node.server("a");
  other = await node.server("b");
  automatic = {
    ...noTls,
    tlsServerCert: server.cert,
    tlsServerKey: server.key,
    tlsClientCa: node.client.cert,
  };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("where the settings come from", () => {
  it("is apf.json in automatic mode", async () => {
    expect(await resolveServerTls(flags, automatic)).toEqual({
      cert: server.cert,
      key: server.key,
      ca: [node.client.cert.trim()],
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
    });
  });

  it("is the flags, as a pair for certificate and key, and on its own for the CA", async () => {
    const given = { certFile: await file("b.crt", other.cert), keyFile: await file("b.key", other.key) };
    const pair = await resolveServerTls({ ...flags, ...given }, automatic);
    expect(pair).toMatchObject({ cert: other.cert, key: other.key, ca: [node.client.cert.trim()] });
    const half = await resolveServerTls({ ...flags, certFile: given.certFile }, automatic);
    expect(half).toMatchObject({ cert: server.cert });
    const ca = await resolveServerTls(
      { ...flags, clientCaFile: await file("ca.crt", node.serverCa) },
      automatic,
    );
    expect(ca).toMatchObject({ cert: server.cert, ca: [node.serverCa.trim()] });
  });

  it("takes the profile along", async () => {
    const suites = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    expect(await resolveServerTls(flags, { ...automatic, tlsCipherSuites: suites })).toMatchObject({
      ciphers: expect.stringContaining("ECDHE-ECDSA-AES128-GCM-SHA256"),
    });
  });

  it("is nothing when TLS is off", async () => {
    expect(await resolveServerTls({ ...flags, disableTls: true }, automatic)).toBeUndefined();
  });

  it("lets anyone in only when that is asked for", async () => {
    const { tlsClientCa: _unused, ...withoutCa } = automatic;
    expect(await resolveServerTls({ ...flags, tlsSkipVerify: true }, withoutCa)).toMatchObject({
      requestCert: false,
    });
  });
});

describe("what is refused before anything starts", () => {
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    ["no certificate at all", () => resolveServerTls(flags, noTls), /no server certificate and key/],
    [
      "no CA of clients",
      () => resolveServerTls(flags, { ...automatic, tlsClientCa: undefined }),
      /no CA to check clients/,
    ],
    [
      "a CA and -tls-skip-verify",
      () => resolveServerTls({ ...flags, tlsSkipVerify: true }, automatic),
      /contradicts/,
    ],
    [
      "a key of another certificate",
      () => resolveServerTls(flags, { ...automatic, tlsServerKey: other.key }),
      /do not belong/,
    ],
    [
      "a broken key",
      () => resolveServerTls(flags, { ...automatic, tlsServerKey: "CANARY" }),
      /not a PEM private key/,
    ],
    [
      "a broken certificate",
      () => resolveServerTls(flags, { ...automatic, tlsServerCert: "CANARY" }),
      /not a PEM certificate/,
    ],
    [
      "a CA without certificate",
      () => resolveServerTls(flags, { ...automatic, tlsClientCa: "CANARY" }),
      /holds no certificate/,
    ],
    [
      "a file that is missing",
      () => resolveServerTls({ ...flags, clientCaFile: "/nonexistent/ca.crt" }, automatic),
      /-ca-cert-file \/nonexistent/,
    ],
    [
      "an old version",
      () => resolveServerTls(flags, { ...automatic, tlsMinVersion: "VersionTLS11" }),
      /VersionTLS11/,
    ],
  ];
  it.each(cases)("%s", async (_what, attempt, message) => {
    const error = await attempt().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "tls", message: expect.stringMatching(message) });
    expect(String((error as Error).stack)).not.toContain("CANARY");
  });
});
