import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { holdingLimits, isUserNamespace } from "./delegated.ts";
import type { CgroupLayout } from "./layout.ts";

const limits = { vcpus: 2, memoryMiB: 512, pids: 100 };

async function layoutWith(controllers: string): Promise<CgroupLayout> {
  const unified = await mkdtemp(join(tmpdir(), "peerpods-cgroup-"));
  onTestFinished(() => rm(unified, { recursive: true }));
  await writeFile(join(unified, "cgroup.controllers"), `${controllers}\n`);
  return { mode: "v2", unified };
}

describe("limits without root", () => {
  it("are those whose controllers were delegated; the others are named", async () => {
    expect(await holdingLimits(await layoutWith("memory pids"), limits, true)).toEqual({
      limits: { ...limits, vcpus: 0 },
      without: ["cpu"],
    });
  });

  it("that nobody wants are not missed", async () => {
    const none = { vcpus: 0, memoryMiB: 0, pids: 0 };
    expect(await holdingLimits(await layoutWith(""), none, true)).toEqual({ limits: none, without: [] });
  });

  it("stay as they are with root, where a missing controller is an error", async () => {
    expect(await holdingLimits(await layoutWith(""), limits, false)).toEqual({ limits, without: [] });
  });
});

it.each([
  ["the machine", "         0          0 4294967295\n", false],
  ["a user", "         0       1000          1\n", true],
  ["a user with more ids", "         0       1000          1\n         1     100000      65536\n", true],
])("root of %s", (_whose, uidMap, expected) => expect(isUserNamespace(uidMap)).toBe(expected));
