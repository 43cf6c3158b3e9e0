import { defineConformanceTests, saveReportTo } from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createLocalTarget } from "./testing/local-target.ts";

const isRoot = process.geteuid?.() === 0;

describe.skipIf(!isRoot)(`pod VMs on this machine${isRoot ? "" : " (they need root)"}`, () => {
  defineConformanceTests(
    { afterAll, beforeAll, describe, it },
    async () => {
      const local = await createLocalTarget();
      return { target: local.target, dispose: async () => await local[Symbol.asyncDispose]() };
    },
    { timeoutMs: 300_000, onReport: saveReportTo(process.env["PEERPODS_CONFORMANCE_DIR"]) },
  );
});
