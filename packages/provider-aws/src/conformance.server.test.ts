import { missingMoto } from "@peerpods/aws-stand-in";
import { defineConformanceTests, saveReportTo } from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createAwsTarget } from "./testing/aws-target.ts";

const missing = await missingMoto();

describe.skipIf(missing !== undefined)(
  `Amazon EC2 by moto and a proxy${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    defineConformanceTests({ afterAll, beforeAll, describe, it }, () => createAwsTarget(), {
      timeoutMs: 300_000,
      onReport: saveReportTo(process.env["PEERPODS_CONFORMANCE_DIR"]),
    });
  },
);
