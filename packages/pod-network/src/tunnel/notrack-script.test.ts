import { expect, it } from "vitest";
import { createNotrack, deleteNotrack, ownerOf, takeOverNotrack } from "./notrack-script.ts";

const tunnel = { vxlanId: 555_001, vxlanPort: 4789, remote: "192.0.2.11" };

it("says in each element whose it is", () => {
  expect(createNotrack(tunnel)).toBe(
    'create element ip peerpods tunnels { 192.0.2.11 . 4789 comment "vni 555001" }\n',
  );
  expect(takeOverNotrack(tunnel)).toBe(`${deleteNotrack([tunnel])}${createNotrack(tunnel)}`);
  expect(deleteNotrack([tunnel, { ...tunnel, vxlanPort: 8472 }])).toBe(
    "delete element ip peerpods tunnels { 192.0.2.11 . 4789, 192.0.2.11 . 8472 }\n",
  );
});

it.each([
  ["vni 555001", 555_001],
  ["vni ", undefined],
  ["vni 5x", undefined],
  ["something else", undefined],
  ["", undefined],
])("reads the owner %j", (comment, expected) => {
  expect(ownerOf(comment)).toBe(expected);
});
