import { missingMoto } from "@peerpods/aws-stand-in";
import { defineSeededRuns } from "@peerpods/cloud-providers/conformance";
import { describe, it } from "vitest";
import { createAwsTarget } from "./testing/aws-target.ts";

const missing = await missingMoto();

describe.skipIf(missing !== undefined)(
  `Amazon EC2 by moto and a proxy${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    defineSeededRuns({ describe, it }, createAwsTarget, { share: 12 });
  },
);
