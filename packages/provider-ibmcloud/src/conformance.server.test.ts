import { defineConformanceTests, saveReportTo } from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createIbmcloudTarget } from "./testing/ibmcloud-target.ts";

describe("IBM Cloud VPC by a stand-in", () => {
  defineConformanceTests({ afterAll, beforeAll, describe, it }, () => createIbmcloudTarget(), {
    timeoutMs: 120_000,
    onReport: saveReportTo(process.env["PEERPODS_CONFORMANCE_DIR"]),
  });
});
