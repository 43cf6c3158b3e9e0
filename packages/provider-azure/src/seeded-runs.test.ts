import { runSeededFaults } from "@peerpods/cloud-providers/conformance";
import { describe, expect, it } from "vitest";
import { createAzureTarget } from "./testing/azure-target.ts";

/** A share for every test run; `PEERPODS_SOAK=1` runs the full count. */
const runs = Number(process.env["PEERPODS_SEEDED_RUNS"] ?? (process.env["PEERPODS_SOAK"] === "1" ? 500 : 12));

describe("random lives of machines", () => {
  it.each([
    ["each fault is a failure", false, 7],
    ["calls are repeated", true, 11],
  ])("end with an empty account when %s", { timeout: 3_600_000 }, async (_when, repeat, seed) => {
    const { target, dispose } = await createAzureTarget({ repeat });
    try {
      const before = await target.census?.();
      expect(await runSeededFaults(target, { runs, seed })).toEqual({ done: runs, failures: [] });
      expect(await target.census?.()).toEqual(before);
    } finally {
      await dispose();
    }
  });
});
