import { describe, expect, it } from "vitest";
import { batchText } from "../driver/batch.ts";
import { type WorkerTunnel, planLink, planRedirects, validateTunnel } from "./plan.ts";

const tunnel: WorkerTunnel = {
  netnsPath: "/run/netns/cni-1",
  interface: "eth0",
  vxlanId: 555_003,
  vxlanPort: 4789,
  remote: "192.0.2.11",
  mtu: 1450,
};

describe("plan of the worker's end", () => {
  it("asks for the route and makes the link in the pod's namespace, up, in one process", () => {
    expect(batchText(planLink(tunnel))).toBe(
      "route get 192.0.2.11\n" +
        "link add vxlan1 mtu 1450 up netns /run/netns/cni-1 " +
        "type vxlan id 555003 remote 192.0.2.11 dstport 4789 nolearning\n",
    );
  });

  it("redirects both ways", () => {
    expect(batchText(planRedirects(tunnel)).split("\n")).toEqual([
      "qdisc add dev eth0 ingress",
      "filter add dev eth0 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev vxlan1",
      "qdisc add dev vxlan1 ingress",
      "filter add dev vxlan1 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev eth0",
      "",
    ]);
  });

  it.each<[keyof WorkerTunnel, Partial<WorkerTunnel>]>([
    ["netnsPath", { netnsPath: "cni-1" }],
    ["interface", { interface: "vxlan1" }],
    ["interface", { interface: "a b" }],
    ["remote", { remote: "fd00::1" }],
    ["remote", { remote: "" }],
    ["vxlanId", { vxlanId: 0 }],
    ["vxlanId", { vxlanId: 16_777_216 }],
    ["vxlanPort", { vxlanPort: 65_536 }],
    ["mtu", { mtu: 0 }],
    ["mtu", { mtu: 1450.5 }],
  ])("names a wrong %s", (field, wrong) => {
    expect(() => {
      validateTunnel({ ...tunnel, ...wrong });
    }).toThrow(expect.objectContaining({ code: "invalid_config", message: expect.stringContaining(field) }));
  });
});
