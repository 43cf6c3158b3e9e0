import { describe, expect, it } from "vitest";
import { setUpPodVMNetwork } from "./podvm/set-up.ts";
import { Topology, gatewayAddress, podNetworkConfig, pods } from "./testing/topology.ts";
import { exchange, fragmentsMade } from "./testing/traffic.ts";
import { inspectWorkerNetwork } from "./worker/inspect.ts";
import { setUpWorkerTunnel } from "./worker/set-up.ts";

const isRoot = process.getuid?.() === 0;
const [pod] = pods;

describe.skipIf(!isRoot)("underlays of other sizes (needs root)", () => {
  it.each([
    { underlay: 1460, expected: 1410, why: "a cloud with small packets" },
    { underlay: 9000, expected: 1500, why: "jumbo frames: the pod's own MTU is the limit, not 1450" },
  ])("$underlay bytes: $why", async ({ underlay, expected }) => {
    await using topology = await Topology.create({ mtu: underlay });
    const signal = AbortSignal.timeout(60_000);
    const network = await inspectWorkerNetwork({ netnsPath: topology.podNetns(pod) }, topology.worker, {
      signal,
    });
    expect(network.mtu).toBe(expected);
    await setUpWorkerTunnel(topology.tunnel(pod, network), topology.worker, { signal });
    const netnsPath = topology.containersNetns(pod);
    await setUpPodVMNetwork(podNetworkConfig(pod, network), topology.vm(pod), { signal, netnsPath });

    const route = { client: pod.containers, server: "w", address: gatewayAddress };
    const udp = expected - 28;
    expect(await exchange(topology.namespaces, { ...route, protocol: "udp", bytes: udp })).toBe(udp);
    expect(await exchange(topology.namespaces, { ...route, protocol: "tcp", bytes: 3_000_000 })).toBe(
      3_000_000,
    );
    expect(await fragmentsMade(topology.namespaces, pod.vm)).toBe(0);
    expect(await fragmentsMade(topology.namespaces, "w")).toBe(0);
  });
});
