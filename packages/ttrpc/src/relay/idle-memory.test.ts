import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { MemoryUse } from "./testing/memory-user.ts";

const program = fileURLToPath(new URL("testing/memory-user.ts", import.meta.url));
const { glibcVersionRuntime: glibc } = (
  process.report.getReport() as { header: { glibcVersionRuntime?: string } }
).header;

async function run(how: "called" | "idle"): Promise<MemoryUse> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, how], { timeout: 90_000 });
  return JSON.parse(stdout) as MemoryUse;
}

describe.skipIf(glibc === undefined)(
  "what is free inside glibc's heap (skipped without glibc)",
  { timeout: 100_000 },
  () => {
    it("is given back on a call, though something lies behind it", async () => {
      const { fullKiB, freedKiB, afterKiB, released } = await run("called");
      expect(released).toBe(true);
      expect(freedKiB).toBeGreaterThan(fullKiB / 2);
      expect(afterKiB).toBeLessThan(fullKiB / 2);
    });

    it("is given back with the garbage once the process is idle", async () => {
      const { fullKiB, afterKiB } = await run("idle");
      expect(afterKiB).toBeLessThan(fullKiB / 2);
    });
  },
);
