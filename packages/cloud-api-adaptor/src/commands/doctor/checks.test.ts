import type { Finding } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import { doctorContext, failed, notInstalled, succeeded, wellFiles } from "../testing/doctor-host.ts";
import { runChecks, type CheckContext } from "./check.ts";
import { nodeChecks } from "./node-checks.ts";

/** What is found in all areas, as `area severity subject`. */
async function found(context: CheckContext): Promise<readonly string[]> {
  const areas = await runChecks(nodeChecks, context);
  return areas.flatMap(({ area, findings }) =>
    findings.map(({ severity, subject }) => `${area} ${severity} ${subject}`),
  );
}
async function findings(context: CheckContext): Promise<readonly Finding[]> {
  return (await runChecks(nodeChecks, context)).flatMap((area) => area.findings);
}

const withFile = (path: string, text: string) =>
  doctorContext({ read: async (asked) => (asked === path ? text : wellFiles[asked]) });
const oldContainerd = `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd]
  discard_unpacked_layers = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-remote]
    runtime_type = "io.containerd.kata-remote.v2"
`;
const externalVxlan = JSON.stringify([
  { ifname: "cni.vxlan", mtu: 1450, linkinfo: { info_data: { port: 4789, external: true } } },
  { ifname: "flannel.1", mtu: 1450, linkinfo: { info_data: { port: 4789, id: 1 } } },
]);
const plainLink = (change: object) => ({
  ...succeeded,
  stdout: JSON.stringify([{ ifname: "eth0", mtu: 1500, addr_info: [{ family: "inet" }], ...change }]),
});

describe("the checks of a node", () => {
  it("find nothing where all is well", async () => {
    expect(await found(doctorContext())).toEqual([]);
  });

  it.each<[string, CheckContext, readonly string[]]>([
    [
      "somebody who is not root",
      doctorContext({ uid: 1000 }),
      ["privileges error user", "kernel warning kernel features"],
    ],
    [
      "root without capabilities",
      withFile("/proc/self/status", "CapEff:\t0000000000000000\n"),
      ["privileges error CAP_NET_ADMIN, CAP_SYS_ADMIN"],
    ],
    [
      "no namespaces",
      doctorContext({}, { answers: [[/^unshare --net true/, failed("EPERM")]] }),
      ["kernel error network namespaces"],
    ],
    [
      "a kernel without vxlan",
      doctorContext({}, { answers: [[/^unshare --net ip/, failed("Unknown device type")]] }),
      ["kernel error vxlan and veth links"],
    ],
    [
      "a kernel without mirred",
      doctorContext({}, { answers: [[/^unshare --net tc/, failed("unknown action")]] }),
      ["kernel error traffic redirection"],
    ],
    [
      "no nft",
      doctorContext(
        {},
        {
          answers: [
            [/^nft /, notInstalled],
            [/unshare --net nft/, failed("nft: No such file")],
          ],
        },
      ),
      ["programs error nft"],
    ],
    [
      "no containerd",
      doctorContext({}, { answers: [[/^containerd/, notInstalled]] }),
      ["containerd and kata info containerd"],
    ],
    [
      "a containerd without kata",
      doctorContext({}, { answers: [[/^containerd/, { ...succeeded, stdout: "version = 3\n" }]] }),
      ["containerd and kata warning runtime kata-remote"],
    ],
    [
      "a containerd 1 that discards layers, and a shim and a configuration that are not there",
      doctorContext({}, { answers: [[/^containerd/, { ...succeeded, stdout: oldContainerd }]] }),
      [
        "containerd and kata warning kata shim",
        "containerd and kata warning discard_unpacked_layers",
        "containerd and kata warning kata configuration",
      ],
    ],
    [
      "a kata that calls another socket and makes namespaces of its own",
      withFile(
        "/opt/kata/remote.toml",
        '[hypervisor.remote]\nremote_hypervisor_socket = "/run/other.sock"\n[runtime]\ninternetworking_model = "none"\n',
      ),
      [
        "containerd and kata warning hypervisor.remote.remote_hypervisor_socket",
        "containerd and kata warning runtime.disable_new_netns",
      ],
    ],
    ["an old Node", doctorContext({ nodeVersion: "v22.9.0" }), ["programs error node"]],
    [
      "systemd without its notifier",
      doctorContext({ exists: async () => true }, { answers: [[/^systemd-notify/, notInstalled]] }),
      ["programs warning systemd-notify"],
    ],
    [
      "no default route",
      doctorContext({}, { answers: [[/route show default/, { ...succeeded, stdout: "[]" }]] }),
      ["network error default route"],
    ],
    [
      "an interface that is not there",
      doctorContext({}, { flags: ["-host-interface=nope0"] }),
      ["network error host-interface"],
    ],
    [
      "an interface without IPv4",
      doctorContext({}, { answers: [[/address show dev eth0/, plainLink({ addr_info: [] })]] }),
      ["network error eth0"],
    ],
    [
      "a small MTU",
      doctorContext({}, { answers: [[/address show dev eth0/, plainLink({ mtu: 1280 })]] }),
      ["network error eth0"],
    ],
    [
      "a link that takes all VXLAN ids",
      doctorContext({}, { answers: [[/type vxlan$/, { ...succeeded, stdout: externalVxlan }]] }),
      ["network error vxlan-port"],
    ],
    [
      "the same link, but another port",
      doctorContext(
        {},
        { flags: ["-vxlan-port=4790"], answers: [[/type vxlan$/, { ...succeeded, stdout: externalVxlan }]] },
      ),
      [],
    ],
    [
      "a probe port in use",
      doctorContext({ isPortFree: async () => false }, { flags: ["-probe-port=8000"] }),
      ["network warning probe-port"],
    ],
    [
      "what a killed run has left",
      doctorContext({ leftNetworks: async () => ["pprun-0a1b2c3d"] }),
      ["network warning pprun-0a1b2c3d"],
    ],
    [
      "too few descriptors",
      doctorContext({}, { flags: ["-peerpods-limit-per-node=500"] }),
      ["limits error open files"],
    ],
    ["little memory", withFile("/proc/meminfo", "MemAvailable: 200000 kB\n"), ["limits warning memory"]],
    ["a clock in the past", doctorContext({ now: () => 500 }), ["clock error clock"]],
    [
      "a clock that nobody sets",
      doctorContext({}, { answers: [[/timedatectl/, { ...succeeded, stdout: "no\n" }]] }),
      ["clock warning clock"],
    ],
    [
      "a full disk",
      doctorContext({ fileSystem: async () => ({ freeBytes: 1024, isMemory: false }) }),
      ["disk error state-dir"],
    ],
    [
      "a state directory in memory",
      doctorContext({ fileSystem: async () => ({ freeBytes: 2 ** 40, isMemory: true }) }),
      ["disk warning state-dir"],
    ],
    [
      "a directory that cannot be written",
      doctorContext({ canWrite: async (path) => path !== "/var/lib" }),
      ["disk error state-dir"],
    ],
  ])("find %s", async (_what, context, expected) => {
    expect(await found(context)).toEqual(expected);
  });

  it("that cannot be made become findings and hide no others", async () => {
    const context = doctorContext({
      fileSystem: () => Promise.reject(new Error("statfs is broken")),
      nodeVersion: "v20.0.0",
    });
    expect(await found(context)).toEqual(["programs error node", "disk error disk"]);
    expect((await findings(context)).at(-1)?.message).toContain("statfs is broken");
  });

  it("each have a remedy", async () => {
    const everything = doctorContext(
      {
        uid: 5,
        nodeVersion: "v1.0.0",
        now: () => 0,
        canWrite: async () => false,
        fileSystem: async () => ({ freeBytes: 0, isMemory: true }),
      },
      { answers: [[/./, notInstalled]] },
    );
    const all = await findings(everything);
    expect(all.length).toBeGreaterThan(9);
    for (const { message, remedy } of all) expect([message, remedy]).not.toContain("");
  });
});
