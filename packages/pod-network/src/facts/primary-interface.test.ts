import { describe, expect, it } from "vitest";
import { readRoutes } from "../driver/answers.ts";
import { findPrimaryInterface, requirePrimaryInterface } from "./primary-interface.ts";

interface Case {
  readonly why: string;
  /** Device and metric of each default route, in the kernel's order. */
  readonly defaults: readonly (readonly [dev: string | undefined, metric: number])[];
  readonly expected: string | undefined;
}

describe("findPrimaryInterface", () => {
  it.each<Case>([
    { why: "there is none", defaults: [], expected: undefined },
    { why: "it has no device", defaults: [[undefined, 0]], expected: undefined },
    { why: "there is one", defaults: [["wlan0", 600]], expected: "wlan0" },
    {
      why: "the lower metric wins",
      defaults: [
        ["wlan0", 600],
        ["eth0", 100],
      ],
      expected: "eth0",
    },
    {
      why: "of one kind the lower number wins",
      defaults: [
        ["eth1", 100],
        ["eth0", 200],
      ],
      expected: "eth0",
    },
    {
      why: "numbers are not compared as text",
      defaults: [
        ["eth10", 0],
        ["eth9", 1],
      ],
      expected: "eth9",
    },
    {
      why: "kinds are not compared",
      defaults: [
        ["ens5", 0],
        ["eth0", 1],
      ],
      expected: "ens5",
    },
    {
      why: "a number with letters behind it is none",
      defaults: [
        ["enp3s0", 0],
        ["enp0s3", 1],
      ],
      expected: "enp3s0",
    },
    {
      why: "a plain number beats one with letters",
      defaults: [
        ["enp3s0", 0],
        ["enp7", 1],
      ],
      expected: "enp7",
    },
  ])("$why", ({ defaults, expected }) => {
    const routes = readRoutes(
      defaults.map(([dev, metric]) => ({ dst: "default", ...(dev && { dev }), metric })),
    );
    expect(findPrimaryInterface(routes)?.name).toBe(expected);
  });

  it("reads every hop of a multipath route", () => {
    const nexthops = [
      { gateway: "10.1.0.1", dev: "eth1" },
      { gateway: "10.0.0.1", dev: "eth0" },
    ];
    expect(findPrimaryInterface(readRoutes([{ dst: "default", nexthops }]))).toEqual({
      name: "eth0",
      gateway: "10.0.0.1",
    });
  });

  it("ignores other routes and unreachable defaults", () => {
    const routes = readRoutes([
      { dst: "10.0.0.0/8", dev: "eth0" },
      { type: "unreachable", dst: "default", dev: "lo" },
    ]);
    expect(() => requirePrimaryInterface(routes, "the node")).toThrow(
      expect.objectContaining({ code: "no_primary_interface", message: expect.stringContaining("the node") }),
    );
  });
});
