import { describe, expect, it } from "vitest";
import { parseMappedGroups } from "./mapped-groups.ts";

describe("groups of a user namespace", () => {
  it.each([
    ["all of the machine", "         0          0 4294967295\n", { 0: true, 5: true }],
    ["one user", "         0       1000          1\n", { 0: true, 5: false }],
    [
      "subordinate groups",
      "         0       1000          1\n         1     100000      65536\n",
      { 0: true, 5: true, 65_536: true, 65_537: false },
    ],
  ])("%s", (_what, gidMap, expected) => {
    const exists = parseMappedGroups(gidMap);
    for (const [gid, there] of Object.entries(expected)) expect(exists(Number(gid))).toBe(there);
  });
});
