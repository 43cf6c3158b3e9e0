import { defineConformanceTests, saveReportTo } from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createAzureTarget } from "./testing/azure-target.ts";

describe("Microsoft Azure by a stand-in", () => {
  defineConformanceTests({ afterAll, beforeAll, describe, it }, () => createAzureTarget(), {
    timeoutMs: 300_000,
    onReport: saveReportTo(process.env["PEERPODS_CONFORMANCE_DIR"]),
  });
});
