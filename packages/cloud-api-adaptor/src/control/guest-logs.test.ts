import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { silentLogger } from "@peerpods/cloud-providers";
import type { ConsoleLogs, ConsoleLogsRequest, Provider } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GuestLogsRequestSchema } from "../gen/peerpods/control/v1/control_pb.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { FailedStart } from "../sandbox/ports.ts";
import { createRequest, patient, sandboxId, World } from "../sandbox/testing/world.ts";
import { guestLogs } from "./guest-logs.ts";

let world: World;
let daemon: Lifecycle;
let failed: FailedStart[];
let asked: ConsoleLogsRequest[];

beforeEach(async () => {
  world = new World();
  daemon = await world.daemon();
  failed = [];
  asked = [];
});
afterEach(() => world[Symbol.asyncDispose]());

const speaking = {
  consoleLogs: async (request) => {
    asked.push(request);
    return [{ name: "console", text: "hello\n", truncated: false }];
  },
} as ConsoleLogs as Provider & ConsoleLogs;

const ask = (
  pod: string,
  { maxBytes = 0, provider = speaking }: { maxBytes?: number; provider?: Provider } = {},
) =>
  guestLogs(
    create(GuestLogsRequestSchema, { pod, maxBytes }),
    {
      list: () => daemon.list(),
      provider,
      failedStarts: { list: async () => failed },
      logger: silentLogger,
    },
    patient,
  );

const failedStart = (changes: Partial<FailedStart> = {}): FailedStart => ({
  sandboxId: "aa".repeat(32),
  podName: "web",
  podNamespace: "default",
  reason: "no capacity",
  atMs: 5,
  logs: [{ name: "console", text: "0123456789", truncated: false }],
  ...changes,
});

describe("guest logs", () => {
  it.each([["web"], ["default/web"], [sandboxId.slice(0, 6)], [sandboxId]])(
    "of a running pod are found by %s",
    async (name) => {
      await daemon.create(createRequest(), patient);
      await daemon.start(sandboxId, patient);
      expect(await ask(name)).toMatchObject({
        sandboxId,
        podName: "web",
        phase: "running",
        logs: [{ name: "console", text: "hello\n" }],
      });
      expect(asked).toEqual([
        { instanceId: expect.any(String), token: expect.any(String), maxBytes: 65_536 },
      ]);
    },
  );

  it("are empty before there is an instance", async () => {
    await daemon.create(createRequest(), patient);
    expect(await ask("web")).toMatchObject({ phase: "created", logs: [] });
    expect(asked).toEqual([]);
  });

  it("of a failed start are the latest kept ones", async () => {
    failed = [failedStart({ atMs: 1, reason: "earlier" }), failedStart()];
    expect(await ask("web")).toMatchObject({ phase: "failed", error: "no capacity", keptAtMs: 5 });
    expect(await ask("web", { maxBytes: 3 })).toMatchObject({ logs: [{ text: "789", truncated: true }] });
  });

  it("of a pod that runs come before those of an earlier failed start of it", async () => {
    failed = [failedStart()];
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    expect(await ask("web")).toMatchObject({ phase: "running" });
  });

  it("never exceed what one message holds", async () => {
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    await ask("web", { maxBytes: 0xffff_ffff });
    expect(asked[0]?.maxBytes).toBe(524_288);
  });

  it.each([["nope"], [""], ["default/"], [sandboxId.slice(0, 5)], ["../../etc/passwd"]])(
    "of %j are not found",
    async (name) => {
      await daemon.create(createRequest(), patient);
      await expect(ask(name)).rejects.toMatchObject({ code: Code.NotFound });
    },
  );

  it("of two pods of one name are refused with both ids", async () => {
    const other = "ab".repeat(32);
    await daemon.create(createRequest(), patient);
    await daemon.create(createRequest({ sandboxId: other, podNamespace: "kube-system" }), patient);
    await expect(ask("web")).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      message: expect.stringMatching(/default\/web 0f1e2d3c0f1e, kube-system\/web abababababab/),
    });
    expect(await ask("kube-system/web")).toMatchObject({ sandboxId: other });
  });

  it("are refused plainly where the provider has none", async () => {
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    await expect(ask("web", { provider: world.cloud })).rejects.toMatchObject({ code: Code.Unimplemented });
  });
});
