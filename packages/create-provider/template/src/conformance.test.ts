import { defineConformanceTests } from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, it } from "vitest";
import { prepareTarget } from "./testing/target.ts";

defineConformanceTests({ afterAll, beforeAll, describe, it }, prepareTarget);
