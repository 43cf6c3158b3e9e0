import { describe, expect, it } from "vitest";
import { quotaOf } from "./quotas.ts";

describe("the quota of an instance type", () => {
  it.each([
    ["m6a.large", "on-demand", "L-1216C47A"],
    ["t3.micro", "spot", "L-34B43A08"],
    ["g4dn.xlarge", "on-demand", "L-DB2E81BA"],
    ["vt1.3xlarge", "spot", "L-3819A6DF"],
    ["p5.48xlarge", "on-demand", "L-417A185B"],
    ["inf2.xlarge", "on-demand", "L-1945791B"],
    ["trn1.2xlarge", "on-demand", "L-2C3B7624"],
    ["x2idn.16xlarge", "spot", "L-E3A00192"],
  ] as const)("%s %s is %s", (instanceType, market, code) => {
    expect(quotaOf(instanceType, market)?.code).toBe(code);
  });

  it.each(["mac2.metal", "u-12tb1.112xlarge", "", "7"])("is not known for %j", (instanceType) => {
    expect(quotaOf(instanceType, "on-demand")).toBeUndefined();
  });
});
