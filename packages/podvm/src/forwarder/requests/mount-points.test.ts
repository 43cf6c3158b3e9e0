import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isMountPoint, parseMountPoints, waitForMountPoint } from "./mount-points.ts";

let directory: string;
let mountInfoPath: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mounts-"));
  mountInfoPath = join(directory, "mountinfo");
  await writeFile(mountInfoPath, "22 1 0:21 / / rw - ext4 /dev/vda rw\n");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("reads mount points with their escapes", () => {
  const text =
    "36 35 98:0 /mnt1 /a\\040b\\134c rw,noatime master:1 - ext3 /dev/root rw\n22 1 0:21 / /x rw - t t rw\n";
  expect([...parseMountPoints(text)]).toEqual(["/a b\\c", "/x"]);
});

it("knows this machine's", async () => {
  expect([await isMountPoint("/proc"), await isMountPoint("/proc/self")]).toEqual([true, false]);
});

it("waits until something is mounted", async () => {
  const waiting = waitForMountPoint("/data", { signal: AbortSignal.timeout(10_000), mountInfoPath });
  await writeFile(mountInfoPath, "40 22 0:40 / /data rw - ext4 /dev/vdb rw\n");
  await waiting;
});

it("gives up with the path in the message", async () => {
  const { signal } = new AbortController();
  await expect(waitForMountPoint("/data", { signal, mountInfoPath, timeoutMs: 10 })).rejects.toMatchObject({
    code: 4,
    rawMessage: "Timeout waiting for device to mount to /data",
  });
});

it("ends with its caller", async () => {
  const reason = new Error("gone");
  const waiting = waitForMountPoint("/data", { signal: AbortSignal.abort(reason), mountInfoPath });
  await expect(waiting).rejects.toBe(reason);
});
