import { describe, expect, it } from "vitest";
import { readRoutes } from "../driver/answers.ts";
import { podRoutes } from "./pod-routes.ts";

const read = (...answers: readonly object[]) => podRoutes(readRoutes(answers), "eth0");

describe("podRoutes", () => {
  it("puts the default route first and orders by destination and length", () => {
    const { routes, omitted } = read(
      { dst: "192.168.0.0/16", gateway: "10.0.0.1", dev: "eth0" },
      { dst: "10.0.0.0/24", dev: "eth0", protocol: "kernel", scope: "link" },
      { dst: "10.0.0.0/8", gateway: "10.0.0.1", dev: "eth0", protocol: "static" },
      { dst: "9.255.0.1", dev: "eth0", scope: "link", protocol: "dhcp" },
      { dst: "default", gateway: "10.0.0.1", dev: "eth0", protocol: "static" },
    );
    expect(routes).toEqual([
      { dst: "0.0.0.0/0", gw: "10.0.0.1", dev: "eth0", protocol: "static" },
      { dst: "9.255.0.1/32", dev: "eth0", protocol: "dhcp", scope: "link" },
      { dst: "10.0.0.0/8", gw: "10.0.0.1", dev: "eth0", protocol: "static" },
      { dst: "10.0.0.0/24", dev: "eth0", protocol: "kernel", scope: "link" },
      { dst: "192.168.0.0/16", gw: "10.0.0.1", dev: "eth0", protocol: "boot" },
    ]);
    expect(omitted).toEqual([]);
  });

  it("keeps the route of lowest metric, and between equals the static one", () => {
    const { routes, omitted } = read(
      { dst: "default", gateway: "10.0.0.9", dev: "eth0", metric: 200, protocol: "static" },
      { dst: "default", gateway: "10.0.0.2", dev: "eth0", metric: 100, protocol: "dhcp" },
      { dst: "default", gateway: "10.0.0.1", dev: "eth0", metric: 100, protocol: "static" },
    );
    expect(routes).toMatchObject([{ gw: "10.0.0.1" }]);
    expect(omitted).toHaveLength(2);
  });

  it.each([
    ["another interface's", { dst: "10.9.0.0/16", dev: "net1" }, "over net1"],
    ["a routing daemon's", { dst: "10.9.0.0/16", dev: "eth0", protocol: "bird" }, "protocol bird"],
    ["a blackhole", { type: "blackhole", dst: "10.9.0.0/16" }, "type blackhole"],
  ])("leaves out %s and says so", (_what, answer, reason) => {
    expect(read(answer)).toEqual({ routes: [], omitted: [expect.stringContaining(reason)] });
  });

  it.each([
    ["several next hops", { dst: "default", nexthops: [{ gateway: "10.0.0.1", dev: "eth0" }] }],
    ["an IPv6 next hop", { dst: "default", dev: "eth0", via: { family: "inet6", host: "fe80::1" } }],
  ])("refuses %s", (_what, answer) => {
    expect(() => read(answer)).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});
