import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import {
  CONTRACT_VERSION,
  createProviderRegistry,
  ProviderError,
  silentLogger,
} from "@peerpods/cloud-providers";
import type { CloudProvider } from "@peerpods/cloud-providers";
import { createTtrpcServer } from "@peerpods/ttrpc";
import { unpackTar } from "modern-tar";
import { afterEach, beforeEach, expect, it } from "vitest";
import { controlRoutes } from "../control/service.ts";
import { World } from "../sandbox/testing/world.ts";
import { runTool } from "./run-tool.ts";
import { doctorContext } from "./testing/doctor-host.ts";

const CANARY = "canary-c7e2-do-not-show";
const privateKey = `-----BEGIN PRIVATE KEY-----\nMIIE${CANARY}\n-----END PRIVATE KEY-----`;

const fake: CloudProvider = {
  name: "fake",
  contractVersion: CONTRACT_VERSION,
  summary: "for tests",
  options: [{ flag: "fake-key", env: "FAKE_KEY", type: "string", secret: true, help: "Secret" }],
  newProvider: () => Promise.reject(new Error("not here")),
};

let resources: AsyncDisposableStack;
let dir: string;

beforeEach(async () => {
  resources = new AsyncDisposableStack();
  dir = await mkdtemp(join(tmpdir(), "ppb-"));
  resources.defer(() => rm(dir, { recursive: true }));
});
afterEach(() => resources.disposeAsync());

/** A control socket of a daemon that is less careful with secrets than ours. */
async function careLessDaemon(): Promise<void> {
  const world = resources.use(new World());
  const lifecycle = await world.daemon();
  world.cloud.configVerifier = () =>
    Promise.reject(new ProviderError("unauthorized", `key ${CANARY} is wrong`));
  const server = resources.use(
    createTtrpcServer(
      controlRoutes({
        lifecycle,
        relay: world.relay,
        cloud: world.cloud,
        failedStarts: { list: async () => [] },
        options: [
          { flag: "state-dir", value: join(dir, "state"), source: "flag", ofProvider: false },
          { flag: "relay-socket", value: join(dir, "relay.sock"), source: "flag", ofProvider: false },
          { flag: "fake-key", value: "**********", source: "env", ofProvider: true },
        ],
        recentLog: () => [`{"msg":"cloud said","password":"${CANARY}"}`, `{"msg":"plain ${CANARY}"}`],
        version: "1.2.3",
        provider: "fake",
        hypervisorSocket: "/h",
        sandboxLimit: 3,
        startedAtMs: 1,
        logger: silentLogger,
      }),
    ),
  );
  await server.listen({ path: join(dir, "control.sock") });
}

async function stateOnDisk(): Promise<void> {
  const state = join(dir, "state");
  await mkdir(join(state, "journal/sandboxes"), { recursive: true });
  await mkdir(join(state, "failed-starts"), { recursive: true });
  const record = { sandboxId: "sb1", podName: "web", netnsPath: "/run/netns/none", initdata: CANARY };
  await writeFile(join(state, "journal/sandboxes/sb1.json"), JSON.stringify({ version: 1, record }));
  const failed = { podName: "web", logs: [{ name: "console", text: privateKey }] };
  await writeFile(join(state, "failed-starts/sb0.json"), JSON.stringify(failed));
  await writeFile(join(state, "agent-relay.log"), `started\n${privateKey}\nhttps://me:${CANARY}@proxy/\n`);
}

async function makeBundle(argv: readonly string[] = []) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const exitCode = await runTool(
    [
      "support-bundle",
      "--json",
      "-o",
      join(dir, "out.tar.gz"),
      "--control-socket",
      join(dir, "control.sock"),
      ...argv,
    ],
    {
      stdin: new PassThrough(),
      stdout,
      stderr,
      signal: AbortSignal.timeout(60_000),
      takeSignals: () => undefined,
      providers: {
        registry: createProviderRegistry([fake]),
        env: { FAKE_KEY: CANARY, PEERPODS_STATE_DIR: join(dir, "state") },
        importPackage: () => Promise.reject(new Error("none is installed")),
        installed: async () => [],
      },
      host: async () => doctorContext().host,
    },
  );
  expect({ exitCode, stderr: String(stderr.read() ?? "") }).toEqual({ exitCode: 0, stderr: "" });
  const tar = await promisify(gunzip)(await readFile(join(dir, "out.tar.gz")));
  const entries = await unpackTar(tar);
  return Object.fromEntries(
    entries.map(({ header, data }) => [
      header.name.replace(/^[^/]*\//, ""),
      Buffer.from(data ?? new Uint8Array()).toString("utf8"),
    ]),
  );
}

it("holds no secret, wherever one has got to", async () => {
  await stateOnDisk();
  await careLessDaemon();
  const files = await makeBundle();
  for (const [name, text] of Object.entries(files)) expect(`${name}: ${text}`).not.toContain(CANARY);
  expect(files["daemon.log"]).toBe(
    '{"msg":"cloud said","password":"**********"}\n{"msg":"plain **********"}\n',
  );
  expect(files["relay.log"]).toBe("started\n**********\nhttps://me:**********@proxy/\n");
  expect(JSON.parse(files["journal/sandboxes/sb1.json"] ?? "")).toMatchObject({
    record: { podName: "web", initdata: "(25 characters)" },
  });
  expect(files["failed-starts/sb0.json"]).toContain("**********");
  expect(files["findings-provider.json"]).toContain("is wrong");
  // No relay answers, and that is said instead of failing.
  expect(JSON.parse(files["manifest.json"] ?? "")).toMatchObject({
    problems: [{ name: "relay.json", problem: expect.stringContaining("relay.sock") }],
  });
});

it("has what is on this node when no daemon answers", async () => {
  await stateOnDisk();
  const files = await makeBundle();
  expect(files["no-daemon.txt"]).toContain("no daemon answers");
  for (const name of [
    "journal/sandboxes/sb1.json",
    "findings-node.json",
    "network/links.txt",
    "versions.json",
  ])
    expect(files[name]).toBeDefined();
  expect(Object.values(files).join("\n")).not.toContain(CANARY);
});
