import { decodeInitdata, encodeInitdata, parseApfConfig, parseTlsProfile } from "@peerpods/podvm-contract";
import { describe, expect, it } from "vitest";
import type { PodTlsSource } from "../pki/pod-tls.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import { createRequest, patient, World } from "../sandbox/testing/world.ts";
import { createGuestPreparation } from "./guest-preparation.ts";
import type { GuestPreparationOptions, GuestTls } from "./guest-preparation.ts";

const toml = 'algorithm = "sha256"\nversion = "0.1.0"\n';
const source: PodTlsSource = {
  issue: async (serverName) => ({
    guest: { tlsServerCert: "CERT\n", tlsServerKey: "KEY\n", tlsClientCa: "CLIENT\n" },
    relay: { ca: "CA", cert: "CLIENT", key: "CLIENT KEY", serverName },
  }),
};
const tls = (profile: GuestTls["profile"] = {}): GuestTls => ({
  source,
  profile,
  client: parseTlsProfile(profile),
});

async function recordOf(initdata?: string): Promise<SandboxRecord> {
  await using world = new World();
  const daemon = await world.daemon();
  await daemon.create(createRequest(initdata === undefined ? {} : { initdata }), patient);
  return daemon.list()[0]!.record;
}

async function prepare(options: Partial<GuestPreparationOptions>, initdata?: string) {
  const preparation = createGuestPreparation({ defaultInitdata: "", scratchSpace: false, ...options });
  return await preparation.prepare(await recordOf(initdata), patient);
}

/** Files of a cloud-config document in the exact form that pod VMs read. */
function filesOf(userData: string): Map<string, string> {
  expect(userData).toMatch(/^#cloud-config\n\nwrite_files:\n {2}- path: /);
  const entries = userData.split(/^ {2}- path: /m).slice(1);
  return new Map(
    entries.map((entry) => {
      const [path = "", , ...content] = entry.split("\n");
      return [path, content.map((line) => line.slice(6)).join("\n")];
    }),
  );
}

describe("what a pod VM is told", () => {
  it("is its network and its certificates, in the order and at the paths that guests know", async () => {
    const { userData } = await prepare({ tls: tls() });
    const files = filesOf(userData);
    expect([...files.keys()]).toEqual(["/run/peerpod/apf.json"]);
    const apf = parseApfConfig(files.get("/run/peerpod/apf.json")!);
    expect(apf).toMatchObject({
      podName: "web",
      podNamespace: "default",
      tlsServerCert: "CERT\n",
      tlsServerKey: "KEY\n",
      tlsClientCa: "CLIENT\n",
    });
    expect(apf.podNetwork).toMatchObject({
      podIp: "10.244.0.7/24",
      vxlanId: 555_000,
      vxlanPort: 4789,
      index: 0,
    });
    expect(apf.tlsMinVersion).toBeUndefined();
    expect(apf.tlsCipherSuites).toBeUndefined();
  });

  it("is everything, in order", async () => {
    const { userData } = await prepare(
      { tls: tls(), scratchSpace: true, pullSecrets: { authJson: async () => '{"auths":{}}' } },
      toml,
    );
    const files = filesOf(userData);
    expect([...files.keys()]).toEqual([
      "/run/peerpod/apf.json",
      "/run/peerpod/auth.json",
      "/run/peerpod/initdata",
      "/run/peerpod/scratch-space.marker",
    ]);
    expect(files.get("/run/peerpod/auth.json")).toBe('{"auths":{}}\n');
    expect(files.get("/run/peerpod/scratch-space.marker")).toBe("");
    expect(decodeInitdata(files.get("/run/peerpod/initdata")!).version).toBe("0.1.0");
  });

  it("is the pod's own initdata rather than the default, which goes unchanged", async () => {
    const defaultInitdata = encodeInitdata('algorithm = "sha512"\n');
    const own = filesOf((await prepare({ defaultInitdata }, toml)).userData);
    expect(decodeInitdata(own.get("/run/peerpod/initdata")!).algorithm).toBe("sha256");
    const fallback = filesOf((await prepare({ defaultInitdata })).userData);
    expect(fallback.get("/run/peerpod/initdata")).toBe(`${defaultInitdata}\n`);
  });

  it("is the TLS profile as it was written, and the relay keeps to it", async () => {
    const suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    const prepared = await prepare({ tls: tls({ minVersion: "VersionTLS12", cipherSuites: [suite] }) });
    const apf = parseApfConfig(filesOf(prepared.userData).get("/run/peerpod/apf.json")!);
    expect(apf).toMatchObject({ tlsMinVersion: "VersionTLS12", tlsCipherSuites: [suite] });
    expect(prepared.tls).toMatchObject({
      serverName: "podvm-web-0f1e2d3c",
      minVersion: "TLSv1.2",
      ciphers: expect.stringContaining("ECDHE-ECDSA-AES128-GCM-SHA256"),
    });
  });

  it("has no TLS at all when it is switched off", async () => {
    const prepared = await prepare({});
    expect(prepared.tls).toBeUndefined();
    const apf = parseApfConfig(filesOf(prepared.userData).get("/run/peerpod/apf.json")!);
    expect(apf.tlsServerCert).toBeUndefined();
    expect(apf.tlsClientCa).toBeUndefined();
  });
});
