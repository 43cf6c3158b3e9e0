import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { SecureMountService } from "@peerpods/kata-protocols/secure-mount";
import { createTtrpcServer } from "@peerpods/ttrpc";
import type { TtrpcServer } from "@peerpods/ttrpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CloudVolume } from "./annotation.ts";
import type { VolumeDriver } from "./cloud-volumes.ts";
import { createSystemVolumes } from "./system-volumes.ts";
import type { RunProgram } from "./run-program.ts";

const volume: CloudVolume = {
  name: "v",
  mountPoint: "/data",
  fsType: "ext4",
  lun: 0,
  diskId: "",
  fsGroup: undefined,
  encryption: undefined,
};
const place = { device: "/dev/vdb", directory: "/run/cloud-volumes/v" };
const { signal } = new AbortController();

/** Answers programs in turn by `code` or `[code, stdout]`, and notes what ran. */
function programs(answers: Record<string, (number | [number, string])[]>) {
  const ran: string[] = [];
  const run: RunProgram = async (program, args) => {
    ran.push([program, ...args].join(" "));
    const answer = answers[program]?.shift() ?? 0;
    const [exitCode, stdout] = typeof answer === "number" ? [answer, ""] : answer;
    return { exitCode, stdout, stderr: exitCode === 0 ? "" : "wrong fs" };
  };
  return { ran, driver: createSystemVolumes({ run, retryDelayMs: 1 }) };
}

describe("a disk", () => {
  it("with the filesystem is just mounted", async () => {
    const { ran, driver } = programs({});
    await driver.mount(volume, place, { signal });
    expect(ran).toEqual(["mount -t ext4 /dev/vdb /run/cloud-volumes/v"]);
  });

  it("without anything on it is formatted", async () => {
    const { ran, driver } = programs({ mount: [32, 0], blkid: [2] });
    await driver.mount(volume, place, { signal });
    expect(ran.slice(1)).toEqual([
      "blkid -p /dev/vdb",
      "mkfs.ext4 /dev/vdb",
      "mount -t ext4 /dev/vdb /run/cloud-volumes/v",
    ]);
  });

  it("with another filesystem is mounted as what it is, never formatted", async () => {
    const { ran, driver } = programs({ mount: [32, 32], blkid: [[0, "TYPE=btrfs"]] });
    await expect(driver.mount(volume, place, { signal })).rejects.toThrow(
      "mount /dev/vdb /run/cloud-volumes/v: wrong fs",
    );
    expect(ran.some((line) => line.startsWith("mkfs"))).toBe(false);
  });

  it.each([
    ["fails", [8, 8, 8]],
    ["says nothing", [0, 0, 0]],
    ["cannot tell", [4, 8, 0]],
  ])("is never formatted when blkid %s", async (_what, blkid) => {
    const { ran, driver } = programs({ mount: [32], blkid });
    await expect(driver.mount(volume, place, { signal })).rejects.toThrow(/not formatting/);
    expect(ran.filter((line) => line.startsWith("blkid"))).toHaveLength(3);
    expect(ran.some((line) => line.startsWith("mkfs"))).toBe(false);
  });
});

describe("an encrypted disk", () => {
  let directory: string;
  let device: string;
  let hub: TtrpcServer;
  const asked: unknown[] = [];
  const encrypted = { ...volume, encryption: { keyId: "default/key/1" } };
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "encrypted-"));
    device = join(directory, "disk");
    asked.length = 0;
    hub = createTtrpcServer((router) =>
      router.service(SecureMountService, {
        secureMount: ({ volumeType, options, flags, mountPoint }) => {
          asked.push({ volumeType, options, flags, mountPoint });
          if (options["key"]?.includes("denied"))
            throw new ConnectError("no such key", Code.PermissionDenied);
          return {};
        },
      }),
    );
    await hub.listen({ path: join(directory, "cdh.sock") });
  });
  afterEach(async () => {
    await hub[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  const driverWith = (run: RunProgram) =>
    createSystemVolumes({ run, retryDelayMs: 1, dataHubSocket: join(directory, "cdh.sock") });
  const mount = (own: VolumeDriver, what: CloudVolume = encrypted) =>
    own.mount(what, { device, directory: "/run/cloud-volumes/v" }, { signal });

  it.each([
    ["encrypted", Buffer.from("4c554b53babe0002", "hex"), []],
    ["empty", Buffer.alloc(64), ["blkid"]],
  ])("is mounted by the data hub as %s", async (sourceType, content, programsRun) => {
    await writeFile(device, content);
    const ran: string[] = [];
    await mount(
      driverWith(async (program) => {
        ran.push(program);
        return { exitCode: 2, stdout: "", stderr: "" };
      }),
    );
    expect(ran).toEqual(programsRun);
    expect(asked).toEqual([
      {
        volumeType: "block-device",
        options: {
          devicePath: device,
          sourceType,
          targetType: "fileSystem",
          encryptionType: "luks2",
          filesystemType: "ext4",
          key: "kbs:///default/key/1",
          mapperName: "caa-v",
        },
        flags: [],
        mountPoint: "/run/cloud-volumes/v",
      },
    ]);
  });

  it("with plain data on it is refused, since the hub would format it", async () => {
    await writeFile(device, Buffer.alloc(64));
    const attempt = mount(driverWith(async () => ({ exitCode: 0, stdout: "TYPE=ext4", stderr: "" })));
    await expect(attempt).rejects.toMatchObject({ code: Code.FailedPrecondition });
    expect(asked).toEqual([]);
  });

  it("that cannot be read is refused", async () => {
    await expect(mount(driverWith(async () => ({ exitCode: 2, stdout: "", stderr: "" })))).rejects.toThrow(
      "ENOENT",
    );
    expect(asked).toEqual([]);
  });

  it("whose key is not released gives the hub's own error", async () => {
    await writeFile(device, Buffer.from("4c554b53babe0002", "hex"));
    const denied = { ...encrypted, encryption: { keyId: "denied" } };
    const attempt = mount(
      driverWith(async () => ({ exitCode: 0, stdout: "", stderr: "" })),
      denied,
    );
    await expect(attempt).rejects.toMatchObject({ code: Code.PermissionDenied, rawMessage: "no such key" });
  });

  it("without a data hub is named", async () => {
    await writeFile(device, Buffer.from("4c554b53babe0002", "hex"));
    await hub[Symbol.asyncDispose]();
    await expect(
      mount(driverWith(async () => ({ exitCode: 0, stdout: "", stderr: "" }))),
    ).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining("the confidential data hub cannot be reached"),
    });
  });

  it("is closed after it is unmounted", async () => {
    const { ran, driver } = programs({});
    await driver.unmount(encrypted, "/run/cloud-volumes/v");
    expect(ran).toEqual(["umount /run/cloud-volumes/v", "cryptsetup close caa-v"]);
  });
});

describe("looking for a disk", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "disks-"));
    await mkdir(join(root, "proc"));
    await writeFile(join(root, "proc/mounts"), "");
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("waits until it appears", async () => {
    const driver = createSystemVolumes({ root, retryDelayMs: 1, maxAttempts: 10_000 });
    const found = driver.findDevice(volume, { signal });
    await mkdir(join(root, "dev"));
    await writeFile(join(root, "dev/vdb"), "");
    await mkdir(join(root, "sys/block/vdb"), { recursive: true });
    expect(await found).toBe("/dev/vdb");
  });

  it("ends after its attempts, naming the volume", async () => {
    const driver = createSystemVolumes({ root, retryDelayMs: 1, maxAttempts: 2 });
    await expect(driver.findDevice(volume, { signal })).rejects.toMatchObject({
      code: 5,
      rawMessage: "cloud volume v: no disk with LUN 0 appeared",
    });
  });

  it("ends with its caller", async () => {
    const driver = createSystemVolumes({ root, retryDelayMs: 60_000 });
    const stop = new AbortController();
    const found = driver.findDevice(volume, { signal: stop.signal });
    stop.abort();
    await expect(found).rejects.toThrow(/abort/i);
  });
});
