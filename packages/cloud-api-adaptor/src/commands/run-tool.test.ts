import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { CONTRACT_VERSION, createProviderRegistry } from "@peerpods/cloud-providers";
import type { CloudProvider, ProviderContext } from "@peerpods/cloud-providers";
import { describe, expect, it, onTestFinished } from "vitest";
import { FakeCloud } from "../sandbox/testing/fake-cloud.ts";
import { installedProviders } from "./installed-providers.ts";
import { runTool } from "./run-tool.ts";
import { doctorContext } from "./testing/doctor-host.ts";

const CANARY = "canary-51d0-secret";

const fake: CloudProvider = {
  name: "fake",
  contractVersion: CONTRACT_VERSION,
  summary: "for tests",
  options: [
    { flag: "fake-key", env: "FAKE_KEY", type: "string", secret: true, help: "Secret" },
    { flag: "fake-zone", env: "FAKE_ZONE", type: "string", required: true, oneOf: ["z1"], help: "Zone" },
    { flag: "fake-count", type: "int", default: 3, help: "Count" },
  ],
  newProvider: async ({ config }: ProviderContext) =>
    Object.assign(new FakeCloud(), {
      configVerifier: async () => [
        {
          severity: "error",
          subject: "fake-zone",
          message: `key ${String(config["fake-key"])}`,
          remedy: "another zone",
        },
      ],
    }),
};

/** Runs the tool in this process. */
async function tool(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const exitCode = await runTool(argv, {
    ...streams,
    stdin: new PassThrough(),
    signal: AbortSignal.timeout(20_000),
    takeSignals: () => undefined,
    providers: {
      registry: createProviderRegistry([fake]),
      env,
      importPackage: (specifier) =>
        Promise.reject(
          Object.assign(new Error(`Cannot find package '${specifier}'`), { code: "ERR_MODULE_NOT_FOUND" }),
        ),
      installed: async () => ["broken", "fake"],
    },
    host: async () => doctorContext().host,
  });
  const read = (stream: PassThrough) => String((stream.read() as Buffer | null) ?? "");
  return { exitCode, stdout: read(streams.stdout), stderr: read(streams.stderr) };
}

describe("the tool", () => {
  it.each([[["--help"]], [["help"]], [["help", "run"]], [["doctor", "--help"]], [["--version"]]])(
    "helps with %j and exit code 0",
    async (argv) => {
      const { exitCode, stdout, stderr } = await tool(argv);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).not.toBe("");
    },
  );

  it.each([
    [["nope"], "unknown command 'nope'"],
    [["logs"], "missing required argument 'pod'"],
    [["ps", "--nope"], "unknown option '--nope'"],
    [["options", "fake", "-o", "xml"], "Allowed choices are table, json, markdown, helm"],
    [["top", "--interval", "never"], "number of seconds"],
    [["logs", "x", "--bytes", "0"], "whole number from 1"],
    [["run", "image", "-e", "novalue"], "NAME=VALUE"],
    [["run", "image", "--vcpus", "1.5"], "whole number"],
  ])("refuses %j with exit code 2", async (argv, message) => {
    const { exitCode, stdout, stderr } = await tool(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
    const asJson = await tool([...argv, "--json"]);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { exitCode: 2 } });
  });

  it.each([["ps"], ["top"], ["logs", "web"]])(
    "says what to do when no daemon answers %s",
    async (...argv) => {
      const socket = join(tmpdir(), "peerpods-no-such-daemon.sock");
      const { exitCode, stderr } = await tool(argv, { PEERPODS_CONTROL_SOCKET: socket });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^peerpods: no daemon answers on .*no-such-daemon\.sock: .*\n {2}remedy: start it/,
      );
    },
  );

  it("refuses to run a container without a command before anything is made", async () => {
    const { exitCode, stderr } = await tool(["run", "busybox"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("remedy: name it after --");
  });
});

describe("providers", () => {
  it("lists what is built in and installed, also what cannot be used", async () => {
    const { stdout } = await tool(["providers"]);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["PROVIDER", "FROM", "CONTRACT", "WHAT IT IS"],
      ["fake", "built in", CONTRACT_VERSION, "for tests"],
      ["broken", "installed", expect.stringMatching(/^cannot be used: no cloud provider "broken"/)],
      [""],
    ]);
    const { stdout: json } = await tool(["providers", "--json"], {
      ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN: "true",
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_PATH: "/nowhere/own.mjs",
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_HASH: "0".repeat(64),
    });
    expect(JSON.parse(json)).toMatchObject([
      { name: "fake", from: "built in", error: "" },
      { name: "broken", from: "installed" },
      { name: "own", from: "plug-in", error: expect.stringContaining("/nowhere/own.mjs") },
    ]);
  });

  it("are found in the directories where packages are looked for", async () => {
    const root = await mkdtemp(join(tmpdir(), "ppi-"));
    onTestFinished(() => rm(root, { recursive: true }));
    for (const name of [
      "near/@peerpods/provider-b",
      "far/@peerpods/provider-a",
      "far/@peerpods/provider-b",
      "far/@peerpods/ttrpc",
    ])
      await mkdir(join(root, name), { recursive: true });
    expect(await installedProviders([join(root, "near"), join(root, "none"), join(root, "far")])).toEqual([
      "a",
      "b",
    ]);
  });
});

describe("options", () => {
  it("come as table, JSON, markdown and Helm values", async () => {
    const { stdout: table } = await tool(["options", "fake"]);
    expect(table).toMatch(/^FLAG +ENVIRONMENT +TYPE +DEFAULT +MEANING\n/);
    expect(table).toMatch(/-fake-zone +FAKE_ZONE +string +required +Zone \(z1\)\n/);
    const { stdout: json } = await tool(["options", "fake", "--json"]);
    expect((JSON.parse(json) as unknown[])[2]).toEqual({
      flag: "fake-count",
      type: "int",
      default: 3,
      help: "Count",
    });
    expect((await tool(["options", "fake", "-o", "markdown"])).stdout).toContain(
      "| `-fake-key` | `FAKE_KEY` |",
    );
    expect((await tool(["options", "fake", "-o", "helm"])).stdout).toContain("FAKE_ZONE:");
    expect((await tool(["options", "fake", "--daemon"])).stdout).toContain("-vxlan-port");
  });

  it("of a provider that there is not are refused", async () => {
    const { exitCode, stderr } = await tool(["options", "nope"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no cloud provider "nope"[^]*remedy: peerpods providers/);
  });
});

describe("doctor", () => {
  it("tells what the provider finds, without secrets, and exits with 1", async () => {
    const { exitCode, stdout, stderr } = await tool(["doctor", "fake", "-fake-zone=z1", "--json"], {
      FAKE_KEY: CANARY,
    });
    const { ok, areas } = JSON.parse(stdout) as {
      ok: boolean;
      areas: { area: string; findings: unknown[] }[];
    };
    expect({ exitCode, ok, stderr }).toEqual({ exitCode: 1, ok: false, stderr: "" });
    expect(areas.find(({ area }) => area === "provider fake")?.findings).toEqual([
      { severity: "error", subject: "fake-zone", message: "key **********", remedy: "another zone" },
    ]);
    const text = await tool(["doctor", "fake", "-fake-key", CANARY, "-fake-zone=z1"]);
    expect(text.stdout).toMatch(
      /ERROR {4}provider fake\n +error: fake-zone: key \*{10}\n +remedy: another zone\n/,
    );
  });

  it("lists every option that the daemon would refuse", async () => {
    const { exitCode, stderr } = await tool([
      "doctor",
      "fake",
      "-fake-zone=z9",
      "-vxlan-port=x",
      "-fake-key",
      CANARY,
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/fake-zone[^]*"z1"[^]*remedy: give them as flags or environment/);
    expect(stderr).toContain("vxlan-port");
    expect(stderr).not.toContain(CANARY);
  });
});
