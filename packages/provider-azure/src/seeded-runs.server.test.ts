import { defineSeededRuns } from "@peerpods/cloud-providers/conformance";
import { describe, it } from "vitest";
import { createAzureTarget } from "./testing/azure-target.ts";

defineSeededRuns({ describe, it }, createAzureTarget, { share: 12 });
