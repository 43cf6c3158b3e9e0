import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import { describe, expect, it } from "vitest";
import { planPodLink, planPodLinkName, planPodNetwork } from "./plan.ts";
import { podVMTunnel } from "./tunnel.ts";

const config: PodNetworkConfig = {
  podIp: "10.128.0.2/24",
  podHwAddr: "0a:58:0a:84:03:ce",
  interface: "eth0",
  workerNodeIp: "192.0.2.10/24",
  tunnelType: "vxlan",
  routes: [
    { dst: "0.0.0.0/0", gw: "10.128.0.1", dev: "eth0", protocol: "boot" },
    { dst: "10.128.0.0/24", dev: "eth0", protocol: "kernel", scope: "link" },
    { dst: "10.96.0.0/12", gw: "10.128.0.1", scope: "site" },
    { dst: "0.0.0.0/0", gw: "10.128.0.9" },
  ],
  neighbors: [
    { ip: "10.128.0.1", hwAddr: "0a:58:0a:84:03:01", dev: "eth0", state: "permanent" },
    { ip: "10.128.0.3", state: "noarp" },
  ],
  mtu: 1400,
  index: 0,
  vxlanPort: 4789,
  vxlanId: 555_000,
  dedicated: false,
  externalNetViaPodVm: false,
};

const plan = (change: Partial<PodNetworkConfig> = {}) =>
  planPodNetwork({ ...config, ...change }, { mtu: 1400 });

describe("plan of the VM's end", () => {
  it("makes the pod's interface under a name that the VM's own does not have, and names it where it is", () => {
    const tunnel = podVMTunnel(config);
    expect(planPodLink(tunnel, { netns: "/run/netns/podns", mtu: 1400 })).toEqual([
      "link add pptun555000 mtu 1400 address 0a:58:0a:84:03:ce netns /run/netns/podns " +
        "type vxlan id 555000 remote 192.0.2.10 dstport 4789 nolearning",
    ]);
    expect(planPodLinkName(tunnel)).toEqual(["link set dev pptun555000 name eth0"]);
  });

  it("adds routes without gateway first, one to a destination, and neighbours", () => {
    expect(plan()).toEqual([
      "link set dev eth0 mtu 1400 address 0a:58:0a:84:03:ce up",
      "addr replace 10.128.0.2/24 dev eth0 noprefixroute",
      "route replace 10.128.0.0/24 dev eth0 scope link proto kernel",
      "route replace 0.0.0.0/0 via 10.128.0.1 dev eth0 onlink proto boot",
      "route replace 10.96.0.0/12 via 10.128.0.1 dev eth0 onlink scope site",
      "neigh replace 10.128.0.1 lladdr 0a:58:0a:84:03:01 dev eth0 nud permanent",
      "neigh replace 10.128.0.3 dev eth0 nud noarp",
    ]);
  });

  it("leaves the default route to the second interface in external mode", () => {
    expect(plan({ externalNetViaPodVm: true }).filter((line) => line.includes("0.0.0.0/0"))).toEqual([]);
  });

  it.each<[string, Partial<PodNetworkConfig>]>([
    ["a route over another interface", { routes: [{ dst: "10.0.0.0/8", dev: "net1" }] }],
    ["a neighbour without address", { neighbors: [{ ip: "", state: "permanent" }] }],
    ["a neighbour without state", { neighbors: [{ ip: "10.0.0.1", state: "none" }] }],
    [
      "a neighbour on another interface",
      { neighbors: [{ ip: "10.0.0.1", dev: "net1", state: "permanent" }] },
    ],
  ])("refuses %s", (_what, change) => {
    expect(() => plan(change)).toThrow(expect.objectContaining({ code: "invalid_config" }));
  });

  it("lists every key that is missing", () => {
    const empty = {
      ...config,
      podIp: "",
      interface: "",
      workerNodeIp: "",
      tunnelType: "gre",
      vxlanId: 0,
      vxlanPort: 0,
    };
    expect(() => podVMTunnel(empty)).toThrow(
      /tunnel-type.*interface.*podip.*worker-node-ip.*vxlan-port.*vxlan-id/,
    );
  });
});
