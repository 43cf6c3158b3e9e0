import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { Health } from "@peerpods/kata-protocols/health";
import { serializeApfConfig } from "@peerpods/podvm-contract";
import { connectTtrpc } from "@peerpods/ttrpc";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeNodeIdentities } from "./forwarder/testing/certificates.ts";
import type { NodeIdentities } from "./forwarder/testing/certificates.ts";
import { startTestAgent } from "./forwarder/testing/test-agent.ts";

const program = join(import.meta.dirname, "agent-protocol-forwarder.ts");
const isRoot = process.getuid?.() === 0;
const ip = (...args: string[]) => execa("ip", args);

// Unique names and a subnet of the benchmark range for each process.
const id = process.pid.toString(36).slice(-5);
const vm = `apfvm-${id}`;
const podns = `apfpod-${id}`;
const hostLink = `apfh-${id}`;
const subnet = `198.18.${process.pid % 250}`;

describe.skipIf(!isRoot)("agent-protocol-forwarder in a VM made of namespaces (needs root)", () => {
  let directory: string;
  let node: NodeIdentities;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "apf-system-"));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    for (const name of [vm, podns]) {
      await ip("netns", "add", name);
      cleanups.push(() => ip("netns", "del", name));
    }
    await ip("link", "add", hostLink, "type", "veth", "peer", "name", "eth0", "netns", vm);
    cleanups.push(() => ip("link", "del", hostLink));
    await ip("addr", "add", `${subnet}.1/24`, "dev", hostLink);
    await ip("link", "set", hostLink, "up");
    await ip("-n", vm, "addr", "add", `${subnet}.2/24`, "dev", "eth0");
    await ip("-n", vm, "link", "set", "eth0", "up");
    await ip("-n", vm, "link", "set", "lo", "up");
    await ip("-n", vm, "route", "add", "default", "via", `${subnet}.1`);

    node = await makeNodeIdentities();
    const server = await node.server("podvm-system");
    const config = serializeApfConfig({
      podNamespace: "default",
      podName: "p",
      tlsServerCert: server.cert,
      tlsServerKey: server.key,
      tlsClientCa: node.client.cert,
      podNetwork: {
        podIp: "10.244.7.9/24",
        podHwAddr: "0a:58:0a:f4:07:09",
        interface: "eth0",
        workerNodeIp: `${subnet}.1/24`,
        tunnelType: "vxlan",
        routes: [{ dst: "0.0.0.0/0", gw: "10.244.7.1", dev: "eth0" }],
        neighbors: [],
        mtu: 1400,
        index: 0,
        vxlanPort: 4789,
        vxlanId: 555_000,
        dedicated: false,
        externalNetViaPodVm: false,
      },
    });
    await writeFile(join(directory, "apf.json"), config, { mode: 0o600 });
    const bin = join(directory, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "systemd-notify"), `#!/bin/sh\necho "$*" >>${directory}/notified\n`);
    await chmod(join(bin, "systemd-notify"), 0o755);
  });
  afterAll(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  });

  const command = ["netns", "exec", vm, process.execPath, "--conditions=@peerpods/source", program];
  const startProgram = (flags: readonly string[] = []) => {
    const given = ["-config", `${directory}/apf.json`, "-kata-agent-socket", `${directory}/agent.sock`];
    return execa("ip", [...command, ...given, "-pod-namespace", `/run/netns/${podns}`, ...flags], {
      reject: false,
      env: { NOTIFY_SOCKET: "/run/none", PATH: `${join(directory, "bin")}:${process.env["PATH"]}` },
      timeout: 60_000,
    });
  };
  const notified = () => readFile(join(directory, "notified"), "utf8").catch(() => "");
  const podLinks = async () => (await ip("-n", podns, "-br", "addr")).stdout;

  async function check(): Promise<number> {
    const { cert, key } = node.client;
    const host = `${subnet}.2`;
    const socket = connect({ host, port: 15150, servername: "podvm-system", ca: node.serverCa, cert, key });
    await once(socket, "secureConnect");
    await using connection = connectTtrpc(socket);
    return (await createClient(Health, connection.transport).check({}, { timeoutMs: 5000 })).status;
  }

  it("makes the pod's network, serves, says so, and undoes all of it on SIGTERM", async () => {
    await using _agent = await startTestAgent(join(directory, "agent.sock"));
    const forwarder = startProgram();
    try {
      await vi.waitFor(async () => expect(await notified()).toContain("--ready"), { timeout: 30_000 });
      expect(await check()).toBe(1);
      expect(await podLinks()).toMatch(/eth0\S* .*10\.244\.7\.9\/24/);
      const { stdout: route } = await ip("-n", podns, "route", "show", "default");
      expect(route).toContain("via 10.244.7.1 dev eth0");
    } finally {
      forwarder.kill("SIGTERM");
    }
    const { exitCode, stderr } = await forwarder;
    expect([exitCode, await notified()]).toEqual([0, expect.stringContaining("STOPPING=1")]);
    expect(stderr).not.toContain("PRIVATE KEY");
    expect(await podLinks()).not.toContain("eth0");
  });

  it("starts again after kill -9 with the network that is there, and serves", async () => {
    await using _agent = await startTestAgent(join(directory, "agent.sock"));
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await rm(join(directory, "notified"), { force: true });
      const forwarder = startProgram();
      try {
        await vi.waitFor(async () => expect(await notified()).toContain("--ready"), { timeout: 30_000 });
        expect(await check()).toBe(1);
      } finally {
        forwarder.kill(signal);
      }
      await forwarder;
      expect((await podLinks()).includes("eth0")).toBe(signal === "SIGKILL");
    }
  });

  it("undoes the network when it cannot listen", async () => {
    const { exitCode, stderr } = await startProgram(["-listen", "203.0.113.9:15150"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("cannot listen on 203.0.113.9:15150")]);
    expect(await podLinks()).not.toContain("eth0");
  });

  it("names what is wrong with the network", async () => {
    const { exitCode, stderr } = await startProgram(["-pod-namespace", "/run/netns/nonexistent"]);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/failed to set up pod network: .*nonexistent/),
    ]);
  });
});
