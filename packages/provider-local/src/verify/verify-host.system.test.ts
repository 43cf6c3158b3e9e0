import { mkdir, readFile } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { CommandError, runCommand } from "../host/run.ts";
import { noTraces } from "../testing/host-traces.ts";
import { openTestBed, testCall, testRequest } from "../testing/test-bed.ts";

const isRoot = process.geteuid?.() === 0;
const mountInfo = () => readFile("/proc/self/mountinfo", "utf8");

describe.skipIf(!isRoot)("checks of the machine (need root)", () => {
  test("a machine that has everything gets no findings, and nothing on it changes", async () => {
    await using bed = await openTestBed();
    expect(await bed.provider.configVerifier(testCall())).toEqual([]);
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("a link of the bridge's name that is not ours is an error, and is neither used nor removed", async () => {
    await using bed = await openTestBed();
    const bridge = String(bed.config["local-bridge"]);
    await execa("ip", ["link", "add", bridge, "type", "bridge"]);
    try {
      expect(await bed.provider.configVerifier(testCall())).toMatchObject([
        { severity: "error", subject: "local-bridge" },
      ]);
      await expect(bed.provider.createInstance(testRequest("x"), testCall())).rejects.toMatchObject({
        code: "invalid_config",
      });
      expect((await bed.traces()).links).toEqual([bridge]);
    } finally {
      await execa("ip", ["link", "delete", bridge]);
    }
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("a subnet that this machine knows already is an error", async () => {
    await using bed = await openTestBed();
    const link = `${String(bed.config["local-bridge"])}r`;
    const taken = String(bed.config["local-subnet"]).replace(".0/24", ".129/25");
    await execa("ip", ["link", "add", link, "type", "bridge"]);
    try {
      await execa("ip", ["link", "set", link, "up"]);
      await execa("ip", ["address", "add", taken, "dev", link]);
      expect(await bed.provider.configVerifier(testCall())).toMatchObject([
        { severity: "error", subject: "local-subnet", message: expect.stringContaining(link) },
      ]);
    } finally {
      await execa("ip", ["link", "delete", link]);
    }
  });

  test("two daemons with networks that overlap: the later one makes no VM and says what to change", async () => {
    await using first = await openTestBed();
    await using second = await openTestBed({
      "local-subnet": String(first.config["local-subnet"]).replace(".0/24", ".128/26"),
    });
    const { id } = await first.provider.createInstance(testRequest("x"), testCall());
    const message = expect.stringContaining(
      `meets the network ${String(first.config["local-subnet"])} of another daemon's bridge ${String(first.config["local-bridge"])}`,
    );
    await expect(second.provider.createInstance(testRequest("x"), testCall())).rejects.toMatchObject({
      code: "invalid_config",
      message,
    });
    expect(await second.traces()).toEqual(noTraces);
    expect(await second.provider.configVerifier(testCall())).toMatchObject([
      {
        severity: "error",
        subject: "local-subnet",
        message,
        remedy: expect.stringContaining("local-subnet"),
      },
    ]);
    await first.provider.deleteInstance({ instanceId: id, tags: {} }, testCall());
    await expect(second.provider.createInstance(testRequest("x"), testCall())).resolves.toBeDefined();
  });

  test("missing guest programs and a kernel without a feature are named with their remedy", async () => {
    await using bed = await openTestBed();
    const empty = `${bed.stateDirectory}/empty`;
    await mkdir(empty);
    const provider = await bed.open(
      { "local-guest-dir": empty },
      {
        mountInfo,
        run: async (file, args, options) => {
          if (options.input?.includes("type vxlan")) throw new CommandError(file, "Operation not supported");
          return await runCommand(file, args, options);
        },
      },
    );
    expect(await provider.configVerifier(testCall())).toMatchObject([
      { subject: "local-guest-dir", message: expect.stringContaining("process-user-data.mjs") },
      { subject: "links", remedy: expect.stringContaining("vxlan") },
    ]);
  });
});
