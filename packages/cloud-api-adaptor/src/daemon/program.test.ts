import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProviderRegistry, ProviderError } from "@peerpods/cloud-providers";
import type { CloudProvider, Finding, ProviderContext } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dialControl } from "../control/client.ts";
import { World } from "../sandbox/testing/world.ts";
import type { ProgramParts } from "./program.ts";
import {
  callHypervisor,
  createVMRequest,
  fakeProviderOf,
  flagsIn,
  RunningProgram,
} from "./testing/running-program.ts";

const CANARY = "canary-3f9c1b";

let world: World;
let dir: string;

beforeEach(async () => {
  world = new World();
  dir = await mkdtemp(join(tmpdir(), "ppp-"));
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** A program in this test's world. */
class Program extends RunningProgram {
  constructor(argv: readonly string[], change: Partial<ProgramParts> = {}) {
    super(world, argv, change);
  }
}

const fakeProvider = (change: Partial<CloudProvider>) => fakeProviderOf(world, change);
const flags = (name?: string) => flagsIn(dir, name);
const hypervisor = (act: Parameters<typeof callHypervisor>[1]) => callHypervisor(dir, act);
const createVM = createVMRequest;

describe("the command line", () => {
  it.each<[string[], number, RegExp]>([
    [[], 1, /^Usage: cloud-api-adaptor <provider>/],
    [["help"], 0, /\tfake\n/],
    [
      ["version"],
      0,
      /^cloud-api-adaptor version \d+\.\d+\.\d+.*\n {2}commit: unknown\n {2}node: v\d.*\n {2}cloud-providers: \d.*\n {2}peerpod-ctrl: \d.*, with cloud-providers \d/,
    ],
    [["-help"], 1, /unknown option "-help"\n\nUsage/],
    [["--version"], 1, /unknown option "--version"/],
    [[""], 1, /unknown option ""/],
    [["nope"], 1, /no cloud provider "nope".*fake/],
    [["../evil"], 1, /is not a provider name/],
    [["fake", "-h"], 0, /^Usage: cloud-api-adaptor fake \[flags\]\n {2}-socket string\n[^]*-fake-key/],
    [["fake", "--help"], 0, /-peerpods-limit-per-node/],
    [["fake", "-nope"], 1, /-nope.*\nSee "cloud-api-adaptor fake -help"/],
    [["fake", "-vxlan-port", "abc"], 1, /flag -vxlan-port: "abc" is not allowed; it must be/],
    [["fake", "--vxlan-port=70000"], 1, /vxlan-port.*65535/],
    [["fake", "-proxy-timeout", "5"], 1, /proxy-timeout.*5m/],
    [["fake", "-tunnel-type", "wireguard"], 1, /tunnel-type.*"vxlan"/],
    [["fake", "-tls-skip-verify"], 1, /tls-skip-verify is not supported/],
    [["fake", "-tls-min-version", "VersionTLS10"], 1, /tls-min-version.*VersionTLS12/],
    [["fake", "-tls-cipher-suites", "NOPE"], 1, /tls-cipher-suites.*"NOPE" is unknown/],
    [["fake", "-initdata", "nonsense"], 1, /initdata: .* it is not gzip data/],
    [["fake", "-state-dir", "relative"], 1, /state-dir: "relative" is not an absolute path/],
    [["fake", "-pods-dir", `/run/${"long/".repeat(10)}`], 1, /pods-dir: .* is too long/],
    [["fake", "-fake-zone", "z3", "-fake-count", "10"], 1, /fake-zone.*"z1", "z2"[^]*fake-count/],
  ])("%j ends with %i", async (argv, code, output) => {
    const program = new Program(argv);
    expect(await program.exitCode).toBe(code);
    expect(program.output).toMatch(output);
  });

  it("tells a wrong environment variable by its name", async () => {
    const program = new Program(["fake"], { env: { VXLAN_PORT: "12abc", PROXY_TIMEOUT: "never" } });
    expect(await program.exitCode).toBe(1);
    expect(program.output).toMatch(
      /environment variable PROXY_TIMEOUT: "never"[^]*environment variable VXLAN_PORT: "12abc"/,
    );
  });
});

describe("a running daemon", () => {
  it("serves pods, ends on SIGTERM, and is followed by one that knows its pods", async () => {
    const first = new Program(flags());
    await first.says('"ready"');
    await hypervisor(async (client) => {
      await client.createVM(createVM("one"));
      await client.startVM({ id: "one" });
    });
    expect(await first.stop()).toBe(0);
    expect(world.relay.carried).toEqual(["one"]);
    expect(first.exits).toEqual([]);

    const second = new Program(flags());
    await second.says('"ready"');
    expect(second.output).toContain('"adopted":["one"]');
    await hypervisor((client) => client.stopVM({ id: "one" }));
    await second.says("sandbox is gone");
    expect(await second.stop()).toBe(0);
    expect(world.cloud.requests).toEqual([]);
    expect(world.relay.carried).toEqual([]);
  });

  it("tells of itself and its pods on the control socket", async () => {
    const program = new Program(flags());
    await program.says('"ready"');
    await hypervisor(async (client) => {
      await client.createVM(createVM("one"));
      await client.startVM({ id: "one" });
    });
    await using connection = await dialControl(join(dir, "d1", "control.sock"), AbortSignal.timeout(5_000));
    const { control } = connection;
    expect(await control.info({})).toMatchObject({ provider: "fake", sandboxLimit: 10, pid: process.pid });
    const { sandboxes } = await control.listSandboxes({});
    expect(sandboxes).toMatchObject([
      { sandboxId: "one", podName: "web", phase: "running", relay: { vm: "connected", shim: "none" } },
    ]);
    expect(sandboxes[0]!.timeline.map(({ name }) => name)).toEqual([
      "created",
      "starting",
      "instance",
      "tunnel",
      "connected",
      "running",
    ]);
    await program.stop();
  });

  it("holds the limit of pods", async () => {
    const program = new Program([...flags(), "-peerpods-limit-per-node=0"]);
    await program.says('"ready"');
    await expect(hypervisor((client) => client.createVM(createVM("one")))).rejects.toThrow(
      "peerpods-limit-per-node",
    );
    await program.stop();
  });

  it("cannot be robbed of its socket or its state directory", async () => {
    const first = new Program(flags());
    await first.says('"ready"');
    const sameSocket = new Program(flags("d2"));
    expect(await sameSocket.exitCode).toBe(1);
    expect(sameSocket.output).toContain("socket: a running program listens on");
    const sameState = new Program([...flags(), "-socket", join(dir, "other.sock")]);
    expect(await sameState.exitCode).toBe(1);
    expect(sameState.output).toContain("state-dir: a running program listens on");
    await hypervisor((client) => client.createVM(createVM("one")));
    expect(await first.stop()).toBe(0);
  });

  it("takes the place of a dead one's socket, and never of a file", async () => {
    const path = join(dir, "hypervisor.sock");
    await writeFile(path, "precious");
    const refused = new Program(flags());
    expect(await refused.exitCode).toBe(1);
    expect(refused.output).toContain("exists and is no socket");
    expect(await readFile(path, "utf8")).toBe("precious");
  });

  it("ends at once on a second signal", async () => {
    const [creating, hang] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.cloud.before = async (call) => {
      if (call !== "create") return;
      creating.resolve();
      await hang.promise;
    };
    const program = new Program(flags());
    await program.says('"ready"');
    await hypervisor((client) => client.createVM(createVM("one")));
    const start = hypervisor((client) => client.startVM({ id: "one" })).catch(() => undefined);
    await creating.promise;
    program.signals.emit("SIGTERM", "SIGTERM");
    await program.says('"ending"');
    expect(program.exits).toEqual([]);
    program.signals.emit("SIGINT", "SIGINT");
    expect(program.exits).toEqual([1]);
    hang.resolve();
    expect(await program.exitCode).toBe(0);
    await start;
    expect(world.cloud.requests).toEqual([]);
  });

  it("answers the probe only while it serves", async () => {
    const port = await freePort();
    const program = new Program([...flags(), "-probe-port", String(port)]);
    await program.says('"ready"');
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect(await status("/startup")).toBe(200);
    expect(await status("/readyz")).toBe(200);
    expect(await status("/livez")).toBe(200);
    expect(await status("/")).toBe(404);
    await program.stop();
    await expect(status("/livez")).rejects.toThrow("fetch failed");
  });
});

describe("a daemon that cannot start", () => {
  const refusing = (newProvider: CloudProvider["newProvider"]) => ({
    registry: createProviderRegistry([fakeProvider({ newProvider })]),
  });

  it("says what the provider says", async () => {
    const program = new Program(
      flags(),
      refusing(() => Promise.reject(new ProviderError("invalid_config", "fake-zone: z1 is closed"))),
    );
    expect(await program.exitCode).toBe(1);
    expect(program.output).toContain("cloud-api-adaptor: fake-zone: z1 is closed");
  });

  it("says what the cloud found, when it was to be asked", async () => {
    const findings: Finding[] = [
      { severity: "warning", subject: "quota", message: "is nearly used", remedy: "ask for more" },
      { severity: "error", subject: "image", message: "does not exist", remedy: "upload one" },
    ];
    world.cloud.configVerifier = async () => findings;
    const program = new Program([...flags(), "-cloud-config-verify"]);
    expect(await program.exitCode).toBe(1);
    expect(program.output).toContain("cloud-api-adaptor: image: does not exist; upload one");
    const unasked = new Program(flags());
    await unasked.says('"ready"');
    await unasked.stop();
  });

  it("says when no relay can be had", async () => {
    const program = new Program(flags(), {
      ensureRelay: () => Promise.reject(new Error("relay cannot be started")),
    });
    expect(await program.exitCode).toBe(1);
    expect(program.output).toContain("relay cannot be started");
  });

  it("says which TLS option is wrong", async () => {
    const program = new Program([...flags(), "-cert-file", "/nowhere/client.crt"]);
    expect(await program.exitCode).toBe(1);
    expect(program.output).toContain("cert-file and cert-key belong together");
  });

  it("leaves the place free for the next", async () => {
    const failed = new Program(flags(), { ensureRelay: () => Promise.reject(new Error("no")) });
    expect(await failed.exitCode).toBe(1);
    const next = new Program(flags());
    await next.says('"ready"');
    expect(await next.stop()).toBe(0);
  });
});

describe("a secret", () => {
  const secretive = (newProvider: CloudProvider["newProvider"]) => ({
    registry: createProviderRegistry([fakeProvider({ newProvider })]),
    env: { FAKE_KEY: CANARY },
  });

  it.each<[string, string[]]>([
    ["from the environment", []],
    ["from a flag", ["-fake-key", `${CANARY}-flag`]],
    ["from a flag with =", [`--fake-key=${CANARY}-flag`]],
  ])("%s reaches the provider and no output, at the most talkative", async (_what, argv) => {
    let context: ProviderContext | undefined;
    const program = new Program(
      [...flags(), "-log-level", "debug", ...argv],
      secretive(async (given) => {
        context = given;
        given.logger.info({ request: { authorization: `Bearer ${CANARY}` } }, `with ${CANARY}`);
        return world.cloud;
      }),
    );
    await program.says('"ready"');
    expect(context?.config["fake-key"]).toContain(CANARY);
    world.cloud.before = async (call) => {
      throw new ProviderError("unauthorized", `${call}: key ${CANARY} was refused`, {
        cause: new Error(`response {"key":"${CANARY}"}`),
      });
    };
    await hypervisor((client) => client.createVM(createVM("one")));
    await hypervisor((client) => client.startVM({ id: "one" })).catch(() => undefined);
    await program.stop();
    expect(program.output).toContain("was refused");
    expect(program.output).not.toContain(CANARY);
  });

  it.each<[string, string[], Record<string, string>]>([
    ["beside a wrong option", ["-vxlan-port", "x", "-fake-key", CANARY], {}],
    ["in help", ["-help"], { FAKE_KEY: CANARY }],
    ["before a left-over word", ["-fake-key", CANARY, "word"], {}],
    ["given twice", ["-fake-key", CANARY, "-fake-key", CANARY, "-nope"], {}],
  ])("%s is not shown", async (_what, argv, env) => {
    const program = new Program(["fake", ...argv], { env });
    await program.exitCode;
    expect(program.output).not.toBe("");
    expect(program.output).not.toContain(CANARY);
  });

  it("that a failing provider quotes is not shown", async () => {
    const program = new Program(
      flags(),
      secretive(() => Promise.reject(new Error(`cannot log in with ${CANARY}`))),
    );
    expect(await program.exitCode).toBe(1);
    expect(program.output).toContain("cannot log in with **********");
  });

  it("is not a private key in the log either", async () => {
    const program = new Program([...flags(), "-log-level", "debug"]);
    await program.says('"ready"');
    await hypervisor((client) => client.createVM(createVM("one")));
    await hypervisor((client) => client.startVM({ id: "one" }));
    const key = world.relay.opened[0]!.tls!.key.split("\n")[1]!;
    expect(world.cloud.requests[0]!.userData).toContain("BEGIN PRIVATE KEY");
    await program.stop();
    expect(program.output).not.toContain(key);
    expect(program.output).not.toContain("PRIVATE KEY");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
