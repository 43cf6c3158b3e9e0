import { mkdtemp, rm } from "node:fs/promises";
import { endianness, tmpdir } from "node:os";
import { join } from "node:path";
import { isProviderError } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { planPort } from "./bridge.ts";
import type { Bridge } from "./bridge-type.ts";
import { parseRoutes } from "./known-routes.ts";
import { acquireLease, listLeases, releaseLease } from "./leases.ts";
import { planNat } from "./nat.ts";
import { formatSubnet, gatewayOf, hardwareAddress, overlaps, parseSubnet, vmAddresses } from "./subnet.ts";

const codeOf = (error: unknown) => (isProviderError(error) ? error.code : error);

describe("subnet", () => {
  test("addresses: the first is the gateway's, network and broadcast are nobody's", () => {
    const subnet = parseSubnet("10.213.16.8/29");
    expect(gatewayOf(subnet)).toBe("10.213.16.9");
    expect([...vmAddresses(subnet)]).toEqual([
      "10.213.16.10",
      "10.213.16.11",
      "10.213.16.12",
      "10.213.16.13",
      "10.213.16.14",
    ]);
  });

  test.each([
    ["", "empty"],
    ["10.0.0.0", "no prefix length"],
    ["10.0.0.1/24", "host bits"],
    ["10.0.0.0/30", "too small"],
    ["10.0.0.0/7", "too large"],
    ["10.0.0.256/24", "no octet"],
    ["fd00::/64", "IPv6"],
    ["10.0.0.0/24 ", "blank"],
  ])("%j is refused: %s", (text) => {
    expect(() => parseSubnet(text)).toThrow("local-subnet");
  });

  test("high addresses are numbers above 2^31 and stay right", () => {
    expect(gatewayOf(parseSubnet("192.168.255.0/24"))).toBe("192.168.255.1");
    expect(gatewayOf(parseSubnet("255.255.255.0/24"))).toBe("255.255.255.1");
  });

  test("an address always has the same hardware address, of the locally administered kind", () => {
    expect(hardwareAddress("10.213.0.2")).toBe("02:50:0a:d5:00:02");
  });
});

describe("routes of this machine", () => {
  // As the kernel of a little-endian machine prints them.
  const route = (link: string, destination: string, flags: string, mask: string) =>
    `${link}\t${destination}\t00000000\t${flags}\t0\t0\t0\t${mask}\t0\t0\t0`;
  const heading = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";

  test.runIf(endianness() === "LE").each([
    ["10.213.0.0/16", route("eth0", "0000D50A", "0001", "0000FFFF"), true, true],
    ["10.213.4.7/32", route("eth0", "0704D50A", "0005", "FFFFFFFF"), true, true],
    ["10.213.7.0/25", route("eth0", "0007D50A", "0001", "80FFFFFF"), true, true],
    ["10.0.0.0/8", route("tun0", "0000000A", "0003", "000000FF"), false, true],
    ["10.213.8.0/24", route("eth0", "0008D50A", "0001", "00FFFFFF"), true, false],
    ["10.212.0.0/16", route("eth0", "0000D40A", "0001", "0000FFFF"), true, false],
    ["0.0.0.0/0", route("eth0", "00000000", "0003", "00000000"), false, true],
  ])("%s", (expected, line, isConnected, meets) => {
    const [read] = parseRoutes(`${heading}\n${line}\n`);
    expect(read && { ...read, network: formatSubnet(read.network) }).toMatchObject({
      network: expected,
      isConnected,
    });
    expect(read && overlaps(read.network, parseSubnet("10.213.4.0/22"))).toBe(meets);
  });
});

describe("leases", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "leases-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const subnet = parseSubnet("10.1.1.0/29");

  test("parallel owners never share one; the subnet is used up and then refused", async () => {
    const owners = ["a", "b", "c", "d", "e"];
    const addresses = await Promise.all(owners.map((owner) => acquireLease(directory, subnet, owner)));
    expect(addresses.toSorted()).toEqual([...vmAddresses(subnet)]);
    await expect(acquireLease(directory, subnet, "f").catch(codeOf)).resolves.toBe("quota_exceeded");
  });

  test("an owner keeps its address, and a released one is the next to be given", async () => {
    expect(await acquireLease(directory, subnet, "a")).toBe("10.1.1.2");
    expect(await acquireLease(directory, subnet, "b")).toBe("10.1.1.3");
    expect(await acquireLease(directory, subnet, "a")).toBe("10.1.1.2");
    await releaseLease(directory, "a");
    await releaseLease(directory, "a");
    expect(await listLeases(directory)).toEqual([{ address: "10.1.1.3", owner: "b" }]);
    expect(await acquireLease(directory, subnet, "c")).toBe("10.1.1.2");
  });

  test("no directory is no lease", async () => {
    expect(await listLeases(join(directory, "none"))).toEqual([]);
  });
});

describe("plans", () => {
  const bridge: Bridge = {
    name: "br",
    subnet: parseSubnet("10.1.1.0/24"),
    mtu: 1500,
    alias: "ours",
    nat: false,
  };
  const port = { name: "pl1", address: "10.1.1.2", pid: 42 };

  test("the first port makes the bridge; the peer is made in the VM's namespace at once", () => {
    expect(planPort(bridge, { exists: false, foreign: false, nat: false, mtu: 1500 }, port)).toEqual([
      "link add name br mtu 1500 address 02:50:0a:01:01:01 type bridge",
      "link set dev br alias ours up",
      "address replace 10.1.1.1/24 brd + dev br",
      "link add name pl1 mtu 1500 master br up type veth peer name eth0 address 02:50:0a:01:01:02 mtu 1500 netns 42",
    ]);
  });

  test("later ports follow the MTU of the bridge, and address translation stays marked", () => {
    const lines = planPort(bridge, { exists: true, foreign: false, nat: true, mtu: 1400 }, port);
    expect(lines[0]).toBe("link set dev br alias ours-nat up");
    expect(lines.at(-1)).toMatch(/ mtu 1400 master .* mtu 1400 netns 42$/);
  });

  test("translation spares traffic between VMs and leaves nothing of an earlier table", () => {
    const plan = planNat({ ...bridge, name: "br-0.1" });
    expect(plan).toContain('ip saddr 10.1.1.0/24 oifname != "br-0.1" masquerade');
    expect(plan.split("\n").slice(0, 2)).toEqual([
      "add table ip peerpods_local_br_0_1",
      "delete table ip peerpods_local_br_0_1",
    ]);
  });
});
