import { expect, it } from "vitest";
import { networkOf } from "./ipv4.ts";

it.each([
  ["10.1.2.3", 8, "10.0.0.0/8"],
  ["10.1.2.3", 0, "0.0.0.0/0"],
  ["255.255.255.255", 31, "255.255.255.254/31"],
  ["192.168.77.1", 20, "192.168.64.0/20"],
  ["1.2.3.4", 32, "1.2.3.4/32"],
])("the network of %s/%d is %s", (address, prefixLength, expected) => {
  expect(networkOf({ address, prefixLength })).toBe(expected);
});
