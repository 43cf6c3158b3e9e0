import { chmod, chown, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStateDirectory } from "./state-dir.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "pps-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("the state directory", () => {
  it("is private, also when it was there before", async () => {
    await chmod(dir, 0o755);
    await using state = await openStateDirectory(dir);
    expect(await modeOf(dir)).toBe(0o700);
    expect(await modeOf(await state.provider("local"))).toBe(0o700);
  });

  it("belongs to one daemon at a time, and is free again after it", async () => {
    const first = await openStateDirectory(dir);
    await expect(openStateDirectory(dir)).rejects.toThrow("state-dir: a running program listens on");
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await using _second = await openStateDirectory(dir);
  });

  it.skipIf(process.getuid?.() !== 0)("of another user is refused (needs root to make one)", async () => {
    await chown(dir, 1, 1);
    await expect(openStateDirectory(dir)).rejects.toThrow("belongs to user 1");
  });
});
