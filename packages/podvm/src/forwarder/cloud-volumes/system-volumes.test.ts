import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CloudVolume } from "./annotation.ts";
import { createSystemVolumes } from "./system-volumes.ts";
import type { RunProgram } from "./system-volumes.ts";

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

  it("that is encrypted is refused plainly", async () => {
    const { ran, driver } = programs({});
    const encrypted = { ...volume, encryption: { keyId: "a/b/c" } };
    await expect(driver.mount(encrypted, place, { signal })).rejects.toMatchObject({ code: 12 });
    expect(ran).toEqual([]);
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
