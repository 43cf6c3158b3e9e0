import { defineConformanceTests, saveReportTo } from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { missingForTestDriver, openTestDriver } from "./testing/test-driver-bed.ts";

const missing = await missingForTestDriver();

describe.skipIf(missing !== undefined)(
  `libvirt's test driver${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    defineConformanceTests(
      { afterAll, beforeAll, describe, it },
      async () => {
        const bed = await openTestDriver();
        return { target: bed.target, dispose: async () => await bed[Symbol.asyncDispose]() };
      },
      { timeoutMs: 900_000, onReport: saveReportTo(process.env["PEERPODS_CONFORMANCE_DIR"]) },
    );
  },
);
