import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createIpRoute2 } from "../driver/iproute2.ts";
import { runCommand } from "../driver/run.ts";
import { failingRun } from "../testing/failing-run.ts";
import { planPodLink } from "./plan.ts";
import { podVMTunnel } from "./tunnel.ts";
import { Namespaces } from "../testing/namespaces.ts";
import { listTunnelRules } from "../tunnel/notrack.ts";
import type { PodVMNetworkOptions } from "./options.ts";
import { setUpPodVMNetwork } from "./set-up.ts";
import { tearDownPodVMNetwork } from "./tear-down.ts";

const isRoot = process.getuid?.() === 0;

const config: PodNetworkConfig = {
  podIp: "10.128.0.2/24",
  podHwAddr: "0a:58:0a:84:03:ce",
  interface: "eth0",
  workerNodeIp: "192.0.2.10/24",
  tunnelType: "vxlan",
  routes: [
    { dst: "0.0.0.0/0", gw: "10.128.0.1", dev: "eth0" },
    { dst: "10.128.0.0/24", dev: "eth0", protocol: "kernel", scope: "link" },
  ],
  neighbors: [{ ip: "10.128.0.1", hwAddr: "0a:58:0a:84:03:01", dev: "eth0", state: "permanent" }],
  mtu: 1400,
  index: 0,
  vxlanPort: 4789,
  vxlanId: 555_000,
  dedicated: false,
  externalNetViaPodVm: false,
};

describe.skipIf(!isRoot)("pod VM end (needs root)", () => {
  const namespaces = new Namespaces();
  const signal = AbortSignal.timeout(100_000);
  const driver = createIpRoute2({ hostNetns: namespaces.path("vm") });
  const options: PodVMNetworkOptions = {
    signal,
    netnsPath: namespaces.path("podns"),
    pollIntervalMs: 10,
    networkTimeoutMs: 10_000,
  };

  beforeAll(async () => {
    await namespaces.add("vm", "podns");
    await namespaces.ip(
      "vm",
      "link add ens0 type bridge",
      "link set ens0 up",
      "addr add 192.0.2.11/24 dev ens0",
      "route add default via 192.0.2.1",
    );
  });

  afterEach(async () => {
    await tearDownPodVMNetwork(config, driver, options);
    expect(await leftovers()).toEqual([]);
  });

  afterAll(async () => {
    await namespaces[Symbol.asyncDispose]();
  });

  const setUp = (with_: Partial<PodNetworkConfig> = {}, more: Partial<PodVMNetworkOptions> = {}) =>
    setUpPodVMNetwork({ ...config, ...with_ }, driver, { ...options, ...more });

  async function leftovers(): Promise<readonly string[]> {
    const links = await Promise.all(
      ["vm", "podns"].map((label) => namespaces.run(label, ["ip", "-br", "link", "show", "type", "vxlan"])),
    );
    const rules = await listTunnelRules(driver, { signal });
    return [...links.filter((text) => text !== ""), ...rules.map((rule) => JSON.stringify(rule))];
  }

  const podns = async (...args: readonly string[]) => (await namespaces.run("podns", ["ip", ...args])).trim();
  const routes = async () => (await podns("route")).split("\n").map((line) => line.trim());
  const linkIndex = async () => /^\d+/.exec(await podns("link", "show", "eth0"))?.[0];

  it("gives the containers the pod's interface, address, routes and neighbours", async () => {
    await setUp();
    const link = await podns("-d", "link", "show", "eth0");
    expect(link).toContain("link/ether 0a:58:0a:84:03:ce");
    expect(link).toContain("mtu 1400");
    expect(link).toContain("vxlan id 555000 remote 192.0.2.10");
    expect(await podns("-br", "-4", "addr", "show", "eth0")).toContain("10.128.0.2/24");
    expect(await routes()).toEqual([
      "default via 10.128.0.1 dev eth0 onlink",
      "10.128.0.0/24 dev eth0 proto kernel scope link",
    ]);
    expect(await podns("neigh")).toBe("10.128.0.1 dev eth0 lladdr 0a:58:0a:84:03:01 PERMANENT");
    expect(await listTunnelRules(driver, { signal })).toEqual([
      { remote: "192.0.2.10", vxlanPort: 4789, vxlanId: 555_000 },
    ]);
  });

  it("serves a pod with a /32 address and a gateway beside its network", async () => {
    const viaLinkLocal = [
      { dst: "0.0.0.0/0", gw: "169.254.1.1", dev: "eth0" },
      { dst: "169.254.1.1/32", dev: "eth0" },
      { dst: "10.0.0.0/8", gw: "172.16.0.1" },
    ];
    await setUp({ podIp: "10.128.0.2/32", routes: viaLinkLocal });
    expect(await routes()).toEqual([
      "default via 169.254.1.1 dev eth0 onlink",
      "10.0.0.0/8 via 172.16.0.1 dev eth0 onlink",
      "169.254.1.1 dev eth0 scope link",
    ]);
  });

  it("takes the underlay's MTU where the worker gives none or a greater one", async () => {
    await setUp({ mtu: 0 });
    expect(await podns("link", "show", "eth0")).toContain("mtu 1450");
    await setUp({ mtu: 8950 });
    expect(await podns("link", "show", "eth0")).toContain("mtu 1450");
  });

  it("keeps the link it finds and mends what is on it", async () => {
    await setUp();
    const before = await linkIndex();
    await namespaces.ip(
      "podns",
      "route del default",
      "addr del 10.128.0.2/24 dev eth0",
      "link set eth0 mtu 1000",
    );
    await namespaces.run("vm", ["nft", "delete", "table", "ip", "peerpods"]);
    await setUp();
    expect(await linkIndex()).toBe(before);
    expect(await routes()).toContain("default via 10.128.0.1 dev eth0 onlink");
    expect(await podns("link", "show", "eth0")).toContain("mtu 1400");
    expect(await listTunnelRules(driver, { signal })).toHaveLength(1);
  });

  it("keeps the link it finds when bringing it up to date fails", async () => {
    await setUp();
    const { run } = failingRun(/^link set/, "refused");
    const failing = createIpRoute2({ run, hostNetns: namespaces.path("vm") });
    await expect(setUpPodVMNetwork(config, failing, options)).rejects.toThrow("injected");
    expect(await podns("link", "show", "eth0")).toContain("UP");
  });

  it("makes the link anew when it leads to another worker", async () => {
    await setUp();
    await setUp({ workerNodeIp: "192.0.2.99/24" });
    expect(await podns("-d", "link", "show", "eth0")).toContain("remote 192.0.2.99");
  });

  it("makes the link anew that a killed run has left without its name", async () => {
    await driver.ip(planPodLink(podVMTunnel(config), { netns: namespaces.path("podns"), mtu: 1400 }));
    await setUp();
    const links = (await podns("-br", "link", "show", "type", "vxlan")).split("\n");
    expect(links.map((line) => line.split("@")[0])).toEqual(["eth0"]);
  });

  it("does not touch an interface that is not its own", async () => {
    await namespaces.ip("podns", "link add eth0 type bridge");
    await expect(setUp()).rejects.toMatchObject({ code: "exists" });
    await namespaces.ip("podns", "link del eth0");
  });

  it.each(
    (["refused", "done but timed out"] as const).flatMap((fault) =>
      [3, 4].map((number) => ({ fault, number })),
    ),
  )("undoes everything when run $number is $fault", async ({ fault, number }) => {
    const { run } = failingRun(number, fault);
    const failing = createIpRoute2({ run, hostNetns: namespaces.path("vm") });
    await expect(setUpPodVMNetwork(config, failing, options)).rejects.toThrow("injected");
    expect(await leftovers()).toEqual([]);
  });

  it("undoes everything when the kernel refuses a route", async () => {
    await expect(setUp({ routes: [{ dst: "10.1.2.3/8" }] })).rejects.toMatchObject({
      message: expect.stringContaining("10.1.2.3/8"),
    });
    expect(await leftovers()).toEqual([]);
  });

  it("says when the containers' namespace is missing", async () => {
    await expect(setUp({}, { netnsPath: "/run/netns/ppn-nowhere" })).rejects.toMatchObject({
      code: "no_namespace",
    });
    await tearDownPodVMNetwork(config, driver, { signal, netnsPath: "/run/netns/ppn-nowhere" });
  });

  describe("when the VM's network is late", () => {
    it("waits for it", async () => {
      await namespaces.ip("vm", "addr del 192.0.2.11/24 dev ens0");
      let looks = 0;
      const late = createIpRoute2({
        hostNetns: namespaces.path("vm"),
        run: async (request) => {
          const result = await runCommand(request);
          looks += 1;
          if (looks === 2) await namespaces.ip("vm", "addr add 192.0.2.11/24 dev ens0");
          if (looks === 4) await namespaces.ip("vm", "route add default via 192.0.2.1");
          return result;
        },
      });
      await setUpPodVMNetwork(config, late, options);
      expect(looks).toBeGreaterThan(4);
      expect(await routes()).toHaveLength(2);
    });

    it("gives up at the deadline, saying what is missing, and at once when aborted", async () => {
      await namespaces.ip("vm", "addr del 192.0.2.11/24 dev ens0");
      const abort = new AbortController();
      const aborted = setUp({}, { signal: abort.signal });
      abort.abort(new Error("stopped"));
      await expect(aborted).rejects.toThrow("stopped");
      await expect(setUp({}, { networkTimeoutMs: 50 })).rejects.toMatchObject({
        code: "timeout",
        message: expect.stringContaining("no default IPv4 route"),
      });
      await namespaces.ip("vm", "addr add 192.0.2.11/24 dev ens0", "route add default via 192.0.2.1");
    });
  });

  describe("dedicated", () => {
    it("needs another interface than the primary one", async () => {
      await expect(setUp({ dedicated: true })).rejects.toMatchObject({ code: "invalid_config" });
      await expect(setUp({ dedicated: true }, { hostInterface: "ens0" })).rejects.toMatchObject({
        code: "invalid_config",
      });
      await expect(
        setUp({ dedicated: true }, { hostInterface: "ens1", networkTimeoutMs: 30 }),
      ).rejects.toMatchObject({ code: "timeout", message: expect.stringContaining("ens1") });
    });

    it("takes that interface's MTU", async () => {
      await namespaces.ip(
        "vm",
        "link add ens1 type bridge",
        "link set ens1 mtu 1300 up",
        "addr add 198.51.100.11/24 dev ens1",
      );
      await setUp({ dedicated: true }, { hostInterface: "ens1" });
      expect(await podns("link", "show", "eth0")).toContain("mtu 1250");
      await namespaces.ip("vm", "link del ens1");
    });
  });

  describe("external network", () => {
    const external = { externalNetViaPodVm: true };
    const addSecond = (address: string, ...lines: readonly string[]) =>
      namespaces.ip(
        "vm",
        "link add ens1 type veth peer name veth1",
        "link set veth1 up",
        "link set ens1 up",
        `addr add ${address} dev ens1`,
        ...lines,
      );

    it("moves the second interface to the containers and sends the default route through it", async () => {
      await addSecond("203.0.113.11/24", "route add default via 203.0.113.1 dev ens1 metric 300");
      await setUp(external);
      const expected = [
        "default via 203.0.113.1 dev ens1 onlink",
        "10.128.0.0/24 dev eth0 proto kernel scope link",
        "203.0.113.0/24 dev ens1 proto kernel scope link src 203.0.113.11",
      ];
      expect(await routes()).toEqual(expected);
      // A forwarder started again finds it there.
      await setUp(external);
      expect(await routes()).toEqual(expected);
      await namespaces.ip("podns", "link del ens1");
    });

    it("uses the primary's gateway for a second interface in the same network", async () => {
      await addSecond("192.0.2.12/24");
      await setUp(external);
      expect(await routes()).toContain("default via 192.0.2.1 dev ens1 onlink");
      await namespaces.ip("podns", "link del ens1");
    });

    it("fails, undone, without a second interface", async () => {
      await expect(setUp(external)).rejects.toMatchObject({ code: "no_address" });
      expect(await leftovers()).toEqual([]);
    });

    it("moves the interface back, with address and route, when a later step fails", async () => {
      await addSecond("203.0.113.11/24", "route add default via 203.0.113.1 dev ens1 metric 300");
      const { run } = failingRun(/ens1 onlink\n$/, "done but timed out");
      const failing = createIpRoute2({ run, hostNetns: namespaces.path("vm") });
      await expect(setUpPodVMNetwork({ ...config, ...external }, failing, options)).rejects.toThrow(
        "injected",
      );
      const vmRoutes = await namespaces.run("vm", ["ip", "route", "show", "default"]);
      expect(vmRoutes).toContain("default via 203.0.113.1 dev ens1 metric 300 onlink");
      expect(await podns("-br", "link")).not.toContain("ens1");
      await namespaces.ip("vm", "link del ens1");
    });
  });
});
