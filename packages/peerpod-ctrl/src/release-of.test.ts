import { expect, it } from "vitest";
import { describeMismatches, releaseProblems } from "./release-of.ts";

it("finds nothing wrong in the workspace", () => {
  expect(releaseProblems()).toEqual([]);
});

it("names each sibling that is another than the released one, and the remedy", () => {
  const releasedWith = { "@peerpods/cloud-providers": "0.2.0", "@peerpods/other": "1.0.0" };
  const found = { "@peerpods/cloud-providers": "0.1.0", "@peerpods/other": "1.0.0" };
  expect(describeMismatches("@peerpods/peerpod-ctrl", { version: "0.3.0", releasedWith, found })).toEqual([
    "@peerpods/peerpod-ctrl 0.3.0 was released with @peerpods/cloud-providers 0.2.0, and 0.1.0 is installed: " +
      "install @peerpods/peerpod-ctrl anew, without overrides for @peerpods/cloud-providers",
  ]);
});
