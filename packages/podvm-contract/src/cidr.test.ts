import { expect, it } from "vitest";
import { isIpAddress, parseCidr } from "./cidr.ts";

it.each([
  ["10.244.0.7/24", { family: 4, address: "10.244.0.7", prefixLength: 24 }],
  ["fd00::1/64", { family: 6, address: "fd00::1", prefixLength: 64 }],
  ["::ffff:10.0.0.1/8", { family: 4, address: "10.0.0.1", prefixLength: 8 }],
  ["::ffff:10.0.0.1/104", { family: 4, address: "10.0.0.1", prefixLength: 8 }],
  ["::ffff:10.0.0.1/64", undefined],
  ["10.0.0.1", undefined],
  ["10.0.0.1/", undefined],
  ["10.0.0.1/08", undefined],
  ["10.0.0.1/33", undefined],
  ["10.0.0.1/-1", undefined],
  ["10.0.0/8", undefined],
  ["fe80::1%1/64", undefined],
  ["::/129", undefined],
  ["/24", undefined],
])("parseCidr(%j)", (text, expected) => {
  expect(parseCidr(text)).toEqual(expected);
});

it.each([
  ["10.0.0.1", true],
  ["::1", true],
  ["fe80::1%eth0", false],
  ["10.0.0.1/8", false],
  ["", false],
])("isIpAddress(%j) is %s", (text, expected) => {
  expect(isIpAddress(text)).toBe(expected);
});
