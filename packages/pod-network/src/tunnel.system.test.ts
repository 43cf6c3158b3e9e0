import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listTunnelRules } from "./tunnel/notrack.ts";
import { setUpPodVMNetwork } from "./podvm/set-up.ts";
import { tearDownPodVMNetwork } from "./podvm/tear-down.ts";
import { Topology, gatewayAddress, podNetworkConfig, pods } from "./testing/topology.ts";
import { exchange, fragmentsMade } from "./testing/traffic.ts";
import { type WorkerNetwork, inspectWorkerNetwork } from "./worker/inspect.ts";
import { setUpWorkerTunnel } from "./worker/set-up.ts";
import { tearDownWorkerTunnel } from "./worker/tear-down.ts";

const isRoot = process.getuid?.() === 0;
const [first, second] = pods;

describe.skipIf(!isRoot)("two pods on one worker (needs root)", () => {
  let topology: Topology;
  const networks: WorkerNetwork[] = [];
  const signal = AbortSignal.timeout(60_000);

  beforeAll(async () => {
    topology = await Topology.create();
    for (const pod of pods) {
      const network = await inspectWorkerNetwork({ netnsPath: topology.podNetns(pod) }, topology.worker, {
        signal,
      });
      networks.push(network);
      await setUpWorkerTunnel(topology.tunnel(pod, network), topology.worker, { signal });
      await setUpPodVMNetwork(podNetworkConfig(pod, network), topology.vm(pod), {
        signal,
        netnsPath: topology.containersNetns(pod),
      });
    }
  });

  afterAll(async () => {
    await topology?.[Symbol.asyncDispose]();
  });

  const send = (
    protocol: "tcp" | "udp",
    bytes: number,
    route: { client: string; server: string; address: string },
  ) => exchange(topology.namespaces, { protocol, bytes, ...route });
  const workerToPod = { client: "w", server: first.containers, address: first.address };
  const podToWorker = { client: first.containers, server: "w", address: gatewayAddress };
  const podToPod = { client: first.containers, server: second.containers, address: second.address };

  it("reports the pod's network as the CNI plug-in made it", () => {
    expect(networks[0]).toEqual({
      podIp: "10.128.0.2/24",
      podHwAddr: "0a:58:0a:84:03:ce",
      interface: "eth0",
      workerNodeIp: "192.0.2.10/24",
      tunnelType: "vxlan",
      routes: [
        { dst: "0.0.0.0/0", gw: gatewayAddress, dev: "eth0", protocol: "boot", scope: undefined },
        { dst: "10.128.0.0/24", gw: undefined, dev: "eth0", protocol: "kernel", scope: "link" },
      ],
      neighbors: [],
      mtu: 1450,
      dedicated: false,
      externalNetViaPodVm: false,
      omitted: [],
    });
  });

  it.each([
    ["from the worker to the pod", workerToPod],
    ["from the pod to the worker", podToWorker],
    ["from pod to pod, over the worker that forwards for pods only", podToPod],
  ])("carries TCP and UDP %s", async (_way, route) => {
    expect(await send("tcp", 300_000, route)).toBe(300_000);
    expect(await send("udp", 10, route)).toBe(10);
  });

  it("lets the pod send packets of exactly the underlay's size, and none that the underlay must split", async () => {
    const before = await fragmentsMade(topology.namespaces, first.vm);
    // 28 bytes of headers make 1450 inside and 1500 outside the tunnel. The echo comes back in the same size.
    expect(await send("udp", 1422, podToPod)).toBe(1422);
    expect(await send("tcp", 3_000_000, podToPod)).toBe(3_000_000);
    expect(await send("udp", 8000, podToPod)).toBe(8000);
    expect(await fragmentsMade(topology.namespaces, first.vm)).toBe(before);
  });

  it("delivers what the pod's neighbours send, who do not know of the tunnel's smaller packets", async () => {
    const before = await fragmentsMade(topology.namespaces, "w");
    expect(await send("udp", 1472, workerToPod)).toBe(1472);
    expect(await fragmentsMade(topology.namespaces, "w")).toBe(before + 2);
  });

  it("keeps the tunnel's packets out of connection tracking, on both ends", async () => {
    const before = await topology.tunnelPackets();
    expect(await send("tcp", 300_000, podToWorker)).toBe(300_000);
    const after = await topology.tunnelPackets();
    expect(after.untracked - before.untracked).toBeGreaterThan(10);
    expect(after.tracked).toBe(before.tracked);
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([
      { remote: first.vmAddress, vxlanPort: 4789, vxlanId: 555_000 },
      { remote: second.vmAddress, vxlanPort: 4789, vxlanId: 555_001 },
    ]);
    expect(await listTunnelRules(topology.vm(second), { signal })).toEqual([
      { remote: "192.0.2.10", vxlanPort: 4789, vxlanId: 555_001 },
    ]);
  });

  it("takes both pods down and leaves nothing", async () => {
    for (const [index, pod] of pods.entries()) {
      const network = networks[index]!;
      const options = { signal, netnsPath: topology.containersNetns(pod) };
      await tearDownPodVMNetwork(podNetworkConfig(pod, network), topology.vm(pod), options);
      await tearDownPodVMNetwork(podNetworkConfig(pod, network), topology.vm(pod), options);
      await tearDownWorkerTunnel(topology.tunnel(pod, network), topology.worker, { signal });
      await tearDownWorkerTunnel(topology.tunnel(pod, network), topology.worker, { signal });
      expect(await topology.leftovers(pod)).toEqual([]);
    }
    for (const label of ["w", first.vm, second.vm]) {
      expect(await topology.namespaces.run(label, ["nft", "list", "tables"])).not.toContain("peerpods");
    }
  });
});
