import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIpRoute2 } from "../driver/iproute2.ts";
import { Namespaces } from "../testing/namespaces.ts";
import { type WorkerNetworkRequest, inspectWorkerNetwork } from "./inspect.ts";

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("inspection of a worker with two networks (needs root)", () => {
  const namespaces = new Namespaces();
  const signal = AbortSignal.timeout(100_000);
  const driver = createIpRoute2({ hostNetns: namespaces.path("w") });

  beforeAll(async () => {
    await namespaces.add("w", "p");
    await namespaces.ip(
      "w",
      "link add ens0 type bridge",
      "link add ens1 type bridge",
      "link add ens2 type bridge",
      "link set ens0 mtu 1460 up",
      "link set ens1 mtu 9001 up",
      "addr add 192.0.2.10/24 dev ens0",
      "addr add 192.0.2.20/24 dev ens0",
      "addr add 198.51.100.10/24 dev ens1",
      "route add default via 192.0.2.1",
    );
    await namespaces.ip(
      "p",
      "link add eth0 type bridge",
      "link set eth0 mtu 1500 up address 0a:58:0a:84:03:ce",
      "addr add 10.128.0.2/24 dev eth0",
      "route add default via 10.128.0.1",
      "neigh add 10.128.0.1 lladdr 0a:58:0a:84:03:01 dev eth0 nud permanent",
      "neigh add 10.128.0.9 lladdr 0a:58:0a:84:03:09 dev eth0 nud reachable",
    );
  });

  afterAll(async () => {
    await namespaces[Symbol.asyncDispose]();
  });

  const inspect = (request: Partial<WorkerNetworkRequest> = {}) =>
    inspectWorkerNetwork({ netnsPath: namespaces.path("p"), ...request }, driver, { signal });

  it.each([
    [undefined, { workerNodeIp: "192.0.2.10/24", dedicated: false, mtu: 1410 }],
    ["", { workerNodeIp: "192.0.2.10/24", dedicated: false, mtu: 1410 }],
    ["ens0", { workerNodeIp: "192.0.2.10/24", dedicated: false, mtu: 1410 }],
    ["ens1", { workerNodeIp: "198.51.100.10/24", dedicated: true, mtu: 1500 }],
  ])("with host interface %s", async (hostInterface, expected) => {
    expect(await inspect({ hostInterface })).toMatchObject(expected);
  });

  it.each([["ens2"], ["ens7"]])("refuses host interface %s, which has no address", async (hostInterface) => {
    await expect(inspect({ hostInterface })).rejects.toMatchObject({
      code: "no_address",
      message: expect.stringContaining(hostInterface),
    });
  });

  it("takes permanent neighbours only", async () => {
    expect((await inspect()).neighbors).toEqual([
      { ip: "10.128.0.1", hwAddr: "0a:58:0a:84:03:01", dev: "eth0", state: "permanent" },
    ]);
  });

  it("adds the cluster's ranges over the pod's gateway, those that have no route yet", async () => {
    const podSubnetCidrs = ["10.96.3.4/12", " 10.128.0.0/24 ", "10.96.0.0/12"];
    const { routes, externalNetViaPodVm } = await inspect({ podSubnetCidrs, externalNetViaPodVm: true });
    expect(routes.slice(2)).toEqual([{ dst: "10.96.0.0/12", gw: "10.128.0.1", dev: "eth0" }]);
    expect(externalNetViaPodVm).toBe(true);
  });

  it.each([["10.0.0.0"], ["fd00::/8"], [""]])("refuses the range %j", async (cidr) => {
    await expect(inspect({ podSubnetCidrs: [cidr] })).rejects.toMatchObject({ code: "invalid_config" });
  });

  it("refuses several addresses and IPv6, with what it found", async () => {
    await namespaces.ip("p", "addr add 10.128.0.3/24 dev eth0");
    await expect(inspect()).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("10.128.0.2/24, 10.128.0.3/24"),
    });
    await namespaces.ip("p", "addr del 10.128.0.3/24 dev eth0", "addr add fd00::2/64 dev eth0 nodad");
    await expect(inspect()).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("fd00::2/64"),
    });
    await namespaces.ip("p", "addr del 10.128.0.2/24 dev eth0");
    await expect(inspect()).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("IPv6"),
    });
    await namespaces.ip("p", "addr del fd00::2/64 dev eth0");
    await expect(inspect()).rejects.toMatchObject({ code: "no_primary_interface" });
  });

  it("refuses a path that is no network namespace", async () => {
    await expect(inspect({ netnsPath: "/etc/hostname" })).rejects.toMatchObject({ code: "no_namespace" });
  });
});
