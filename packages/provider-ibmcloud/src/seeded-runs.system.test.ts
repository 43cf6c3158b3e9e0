import { runSeededFaults, seededRunCount } from "@peerpods/cloud-providers/conformance";
import { describe, expect, it } from "vitest";
import { createIbmcloudTarget } from "./testing/ibmcloud-target.ts";

const runs = seededRunCount(40);

describe("random lives of instances", () => {
  it.each([
    ["each fault is a failure", false, 7],
    ["calls are repeated", true, 11],
  ])("end with an empty account when %s", { timeout: 3_600_000 }, async (_when, repeat, seed) => {
    const { target, dispose } = await createIbmcloudTarget({ repeat });
    try {
      const before = await target.census?.();
      expect(await runSeededFaults(target, { runs, seed })).toEqual({ done: runs, failures: [] });
      expect(await target.census?.()).toEqual(before);
    } finally {
      await dispose();
    }
  });
});
