import { expect, it } from "vitest";
import { MAX_VXLAN_ID, vxlanIdOf } from "./defaults.ts";

it("counts VXLAN ids from the base", () => {
  expect(vxlanIdOf(0)).toBe(555_000);
  expect(vxlanIdOf(7, 1000)).toBe(1007);
  expect(vxlanIdOf(MAX_VXLAN_ID, 0)).toBe(MAX_VXLAN_ID);
});

it.each([
  [MAX_VXLAN_ID, 1, "beyond 24 bits"],
  [-1, 555_000, "negative index"],
  [0.5, 555_000, "fraction"],
  [Number.NaN, 555_000, "not a number"],
])("refuses index %d on base %d: %s", (index, base) => {
  expect(() => vxlanIdOf(index, base)).toThrow(expect.objectContaining({ code: "out_of_range" }));
});
