import { PassThrough } from "node:stream";
import {
  createProviderRegistry,
  hasInventory,
  type CloudProvider,
  type Provider,
} from "@peerpods/cloud-providers";
import { createFakeCloud, fakeProvider, type FakeCloud } from "@peerpods/cloud-providers/testing";
import { describe, expect, it } from "vitest";
import { conformance, type ConformanceCommand } from "./conformance.ts";
import { CommandError } from "./command-error.ts";

const SECRET = "fake-access-key-canary-77aa";
const nothing = { instances: 0, interfaces: 0, disks: 0, addresses: 0 };

interface Played {
  readonly cloud: FakeCloud;
  readonly run: (change?: Partial<ConformanceCommand>) => Promise<number>;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

function play({
  wrap = (provider: Provider) => provider,
  json = false,
  signal = AbortSignal.timeout(60_000),
}: { wrap?: (provider: Provider) => Provider; json?: boolean; signal?: AbortSignal } = {}): Played {
  const cloud = createFakeCloud({ accessKey: SECRET });
  const real = fakeProvider(cloud);
  const manager: CloudProvider = {
    ...real,
    newProvider: async (context) => wrap(await real.newProvider(context)),
  };
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const textOf = (stream: PassThrough) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    return () => text;
  };
  const [out, err] = [textOf(stdout), textOf(stderr)];
  const context = {
    ...{ controlSocket: "/nonexistent", json, stdin, stdout, stderr, signal },
    takeSignals: () => undefined,
    providers: {
      registry: createProviderRegistry([manager]),
      env: { FAKE_ACCESS_KEY: SECRET },
      importPackage: () => Promise.reject(new Error("nothing is installed")),
      installed: async () => [],
    },
    host: () => Promise.reject(new Error("nobody looks at the machine")),
  };
  return {
    cloud,
    run: (change = {}) =>
      conformance(context, { provider: "fake", argv: [], yes: true, rules: [], ...change }),
    stdout: out,
    stderr: err,
  };
}

describe("peerpods conformance", () => {
  it("makes nothing unless the person says that it may cost money", async () => {
    const { run, cloud } = play();
    const error = await run({ yes: false }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ exitCode: 2, remedy: expect.stringContaining("--yes") });
    expect(cloud.calls).toEqual([]);
  });

  it("tries what an account lets it try, says why not the rest, and leaves nothing", async () => {
    const { run, cloud, stdout, stderr } = play();
    expect(await run()).toBe(0);
    expect(cloud.count()).toEqual(nothing);
    expect(stdout()).toMatch(/\| `token-repeat` \| passed \|/);
    expect(stdout()).toMatch(/\| `secrets` \| passed \|/);
    expect(stdout()).toMatch(/\| `delete-all-of-it` \| skipped: not on a real account/);
    expect(stdout()).not.toContain("failed**");
    expect(`${stdout()}${stderr()}`).not.toContain(SECRET);
  });

  it("finds what a provider leaves, deletes it, and fails", async () => {
    const kept: Provider[] = [];
    const { run, cloud, stdout } = play({
      json: true,
      // Every other connection, the sweep's among them, really deletes.
      wrap: (provider) => {
        kept.push(provider);
        if (kept.length !== 2) return provider;
        const inventory = hasInventory(provider) ? provider : undefined;
        return { ...boundTo(provider), ...boundTo(inventory), deleteInstance: async () => undefined };
      },
    });
    expect(await run({ rules: ["create-answer"] })).toBe(1);
    const report = JSON.parse(stdout()) as { left: readonly string[]; results: readonly unknown[] };
    expect(report.left).toHaveLength(1);
    expect(report.results).toHaveLength(1);
    expect(cloud.count()).toEqual(nothing);
  });

  it("begins no rule once it is interrupted, and does not pass", async () => {
    const { run, cloud, stdout } = play({ signal: AbortSignal.abort() });
    expect(await run({ rules: ["create-answer"] })).toBe(1);
    expect(stdout()).toContain("skipped: the run was ended");
    expect(cloud.count()).toEqual(nothing);
  });

  it("names the rules when one is asked for that does not exist", async () => {
    await expect(play().run({ rules: ["no-such-rule"] })).rejects.toMatchObject({
      exitCode: 2,
      remedy: expect.stringContaining("token-repeat"),
    });
  });

  it("tells all that is missing in the configuration", async () => {
    const error = await play()
      .run({ argv: ["-fake-latency=much", "-no-such-flag"] })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommandError);
    expect(String(error)).toContain("no-such-flag");
  });
});

/** Methods of an object that has them on its class. */
function boundTo<T extends object>(provider: T | undefined): T {
  const methods = [
    "createInstance",
    "deleteInstance",
    "configVerifier",
    "teardown",
    "listInstances",
    "getInstance",
  ];
  const entries = methods.map((name) => {
    const method: unknown = Reflect.get(provider ?? {}, name);
    return [name, typeof method === "function" ? (method.bind(provider) as unknown) : undefined];
  });
  return Object.fromEntries(entries) as T;
}
