import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { expect, it, onTestFinished } from "vitest";
import type { ImageEntry } from "./files.ts";
import { layerOf } from "./layer.ts";
import { writeOciLayout } from "./oci-layout.ts";

const entries: readonly ImageEntry[] = [
  { path: "tmp", mode: 0o1777, directory: true },
  { path: "home/nonroot", mode: 0o700, directory: true, owner: 65_532 },
  { path: "usr/bin/node", mode: 0o755, content: Buffer.from("program") },
  { path: "usr/bin/node", mode: 0o644, content: Buffer.from("the first one counts") },
  { path: "var/run", target: "/run" },
];

async function written(directory: string): Promise<string> {
  const layers = [await layerOf(entries)];
  return await writeOciLayout(directory, {
    reference: "example.org:5000/peerpods/x:1.2",
    layers,
    config: { User: "1:1" },
    annotations: { a: "b" },
  });
}

it("a layer has the entries with their modes, owners and no time of its own", async () => {
  const { blob, diffId } = await layerOf(entries);
  const tar = gunzipSync(blob);
  expect(diffId).toBe(`sha256:${createHash("sha256").update(tar).digest("hex")}`);
  const found = (await unpackTar(tar)).map(({ header }) => [
    header.name,
    header.type,
    header.mode,
    header.uid,
    header.mtime?.getTime(),
    header.linkname ?? "",
  ]);
  expect(found).toEqual([
    ["tmp/", "directory", 0o1777, 0, 0, ""],
    ["home/nonroot/", "directory", 0o700, 65_532, 0, ""],
    ["usr/bin/node", "file", 0o755, 0, 0, ""],
    ["var/run", "symlink", 0o777, 0, 0, "/run"],
  ]);
});

it("the same image has the same digest, and each blob is what its name says", async () => {
  const dir = await mkdtemp(join(tmpdir(), "oci-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [first, second] = [await written(join(dir, "a")), await written(join(dir, "b"))];
  expect(second).toBe(first);
  // Again in the same place: nothing of the earlier one stays.
  expect(await written(join(dir, "a"))).toBe(first);
  const blobs = join(dir, "a/blobs/sha256");
  const names = await readdir(blobs);
  expect(names).toHaveLength(3);
  for (const name of names)
    expect(
      createHash("sha256")
        .update(await readFile(join(blobs, name)))
        .digest("hex"),
    ).toBe(name);
  const index = JSON.parse(await readFile(join(dir, "a/index.json"), "utf8")) as {
    manifests: [{ digest: string; annotations: Record<string, string> }];
  };
  expect(index.manifests[0]).toMatchObject({
    digest: first,
    annotations: { "org.opencontainers.image.ref.name": "1.2" },
  });
});
