import { defineSeededRuns } from "@peerpods/cloud-providers/conformance";
import { describe, it } from "vitest";
import { createIbmcloudTarget } from "./testing/ibmcloud-target.ts";

defineSeededRuns({ describe, it }, createIbmcloudTarget, { share: 40 });
