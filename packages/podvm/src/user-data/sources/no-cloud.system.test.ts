import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noCloudSource } from "./no-cloud.ts";

async function missing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  const { exitCode } = await execa("mke2fs", ["-V"], { reject: false });
  if (exitCode !== 0) return "needs mke2fs";
  return (await readFile("/proc/filesystems", "utf8")).includes("ext4") ? undefined : "needs ext4";
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "nocloud-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const reason = await missing();
describe.skipIf(reason !== undefined)(
  `a volume labelled cidata (${reason ?? "root, mke2fs and ext4 are there"})`,
  () => {
    async function volume(files: Record<string, string>): Promise<string> {
      const content = join(directory, "content");
      await mkdir(content);
      for (const [name, text] of Object.entries(files)) await writeFile(join(content, name), text);
      const image = join(directory, "cidata.img");
      await execa("mke2fs", ["-q", "-t", "ext4", "-L", "cidata", "-d", content, image, "2M"]);
      return image;
    }
    const mounts = async () =>
      (await readFile("/proc/self/mountinfo", "utf8"))
        .split("\n")
        .filter((line) => line.includes("/cidata-"));
    const call = { signal: AbortSignal.timeout(30_000) };

    it("is read and left unmounted", async () => {
      const source = noCloudSource({
        devices: [await volume({ "user-data": "#cloud-config\n", "meta-data": "{}" })],
      });
      expect(await source.detect(call)).toBe(true);
      expect(String(Buffer.from(await source.read(call)))).toBe("#cloud-config\n");
      expect(await mounts()).toEqual([]);
    });

    it("without user data is an error, and left unmounted", async () => {
      const source = noCloudSource({ devices: [await volume({ "meta-data": "{}" })] });
      await expect(source.read(call)).rejects.toMatchObject({ code: "unavailable" });
      expect(await mounts()).toEqual([]);
    });

    it("that is no filesystem is an error", async () => {
      const image = join(directory, "noise.img");
      await writeFile(image, Buffer.alloc(1 << 20));
      await expect(noCloudSource({ devices: [image] }).read(call)).rejects.toMatchObject({
        code: "unavailable",
      });
      expect(await mounts()).toEqual([]);
    });
  },
);
