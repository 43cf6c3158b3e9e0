import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createDirectorySync } from "./atomic-file.ts";

it("shares the sync that begins next, not the one under way", async () => {
  const directory = await mkdtemp(join(tmpdir(), "peerpods-sync-"));
  const sync = createDirectorySync(directory);
  const first = sync();
  await Promise.resolve();
  const [second, third] = [sync(), sync()];
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  await Promise.all([first, second, third]);
  expect(sync()).not.toBe(second);
  await sync();
  await rm(directory, { recursive: true });
});

it("tells every caller that it failed, and tries again for the next", async () => {
  const directory = await mkdtemp(join(tmpdir(), "peerpods-sync-"));
  const sync = createDirectorySync(directory);
  await rm(directory, { recursive: true });
  const failed = await Promise.allSettled([sync(), sync()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await mkdir(directory);
  await sync();
  await rm(directory, { recursive: true });
});
