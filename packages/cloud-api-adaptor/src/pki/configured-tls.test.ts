import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { choosePodTls, TlsFilesError } from "./configured-tls.ts";
import type { TlsFiles } from "./configured-tls.ts";
import type { PodTlsSource } from "./pod-tls.ts";
import { makeCertificate } from "./x509.ts";
import type { KeyPair } from "./x509.ts";

const dayMs = 24 * 60 * 60_000;
const nothing: TlsFiles = { caCertFile: "", certFile: "", certKey: "" };
const auto: PodTlsSource = {
  issue: async (serverName) => ({
    guest: { tlsServerCert: "auto cert", tlsServerKey: "auto key", tlsClientCa: "auto client" },
    relay: { ca: "auto ca", cert: "auto client", key: "auto client key", serverName },
  }),
};

let dir: string;
let files: TlsFiles;
let client: KeyPair;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "peerpods-tls-"));
  files = {
    caCertFile: join(dir, "ca.crt"),
    certFile: join(dir, "client.crt"),
    certKey: join(dir, "client.key"),
  };
  client = await certificate({});
  await writeFile(files.caCertFile, (await certificate({})).cert);
  await writeFile(files.certFile, client.cert);
  await writeFile(files.certKey, client.key);
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

const certificate = ({ endsInMs = dayMs }: { endsInMs?: number }) =>
  makeCertificate({
    organization: "test",
    usage: "client",
    authority: true,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + endsInMs),
  });

describe("choosePodTls", () => {
  it("makes everything itself when nothing is given", async () => {
    expect(await choosePodTls(nothing, auto)).toBe(auto);
  });

  it("tells the VM to trust a given client certificate from the first pod on", async () => {
    const source = await choosePodTls({ ...files, caCertFile: "" }, auto);
    const { guest, relay } = await source.issue("podvm-a");
    expect(guest).toEqual({
      tlsServerCert: "auto cert",
      tlsServerKey: "auto key",
      tlsClientCa: client.cert,
    });
    expect(relay).toEqual({ ca: "auto ca", ...client, serverName: "podvm-a" });
  });

  it("tells the VM nothing when all files are given, and expects the image's name", async () => {
    const { guest, relay } = await (await choosePodTls(files, auto)).issue("podvm-a");
    expect(guest).toEqual({});
    expect(relay).toMatchObject({ ...client, serverName: "podvm-server" });
  });

  it("uses a renewed file for the next pod", async () => {
    const source = await choosePodTls(files, auto);
    const renewed = await certificate({});
    await writeFile(files.certFile, renewed.cert);
    await writeFile(files.certKey, renewed.key);
    expect((await source.issue("podvm-a")).relay).toMatchObject(renewed);
  });

  it.each<[string, () => Promise<TlsFiles>, string]>([
    ["a certificate without its key", async () => ({ ...files, certKey: "" }), "cert-key"],
    ["a key without its certificate", async () => ({ ...files, certFile: "" }), "cert-file"],
    [
      "only an authority",
      async () => ({ ...nothing, caCertFile: files.caCertFile }),
      "needs cert-file and cert-key",
    ],
    ["a file that is not there", async () => ({ ...files, caCertFile: join(dir, "none") }), "ca-cert-file"],
    [
      "an authority that is no certificate",
      async () => {
        await writeFile(files.caCertFile, "hello");
        return files;
      },
      "ca-cert-file",
    ],
    [
      "another certificate's key",
      async () => {
        await writeFile(files.certKey, (await certificate({})).key);
        return files;
      },
      "does not belong",
    ],
    [
      "an expired certificate",
      async () => {
        const expired = await certificate({ endsInMs: -60_000 });
        await writeFile(files.certFile, expired.cert);
        await writeFile(files.certKey, expired.key);
        return files;
      },
      "expired",
    ],
  ])("refuses %s", async (_what, given, text) => {
    const refusal = await choosePodTls(await given(), auto).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(TlsFilesError);
    expect((refusal as Error).message).toContain(text);
  });

  it("never shows a key", async () => {
    await writeFile(files.certKey, "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n");
    const refusal = await choosePodTls(files, auto).catch((error: unknown) => error as Error);
    expect(`${(refusal as Error).message} ${String((refusal as Error).cause)}`).not.toContain("CANARY");
  });
});
