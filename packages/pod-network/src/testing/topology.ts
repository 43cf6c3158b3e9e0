import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import { type IpRoute2, createIpRoute2 } from "../driver/iproute2.ts";
import { listTunnelRules } from "../tunnel/notrack.ts";
import type { WorkerNetwork } from "../worker/inspect.ts";
import type { WorkerTunnel } from "../worker/plan.ts";
import { Namespaces } from "./namespaces.ts";

/** One pod of the topology: its namespace on the worker, its VM, and the VM's containers' namespace. */
export interface Pod {
  readonly pod: string;
  readonly vm: string;
  readonly containers: string;
  readonly address: string;
  readonly vmAddress: string;
  readonly hwAddr: string;
}

const pod = (number: number): Pod => ({
  pod: `p${number}`,
  vm: `v${number}`,
  containers: `c${number}`,
  address: `10.128.0.${number + 1}`,
  vmAddress: `192.0.2.${number + 10}`,
  hwAddr: `0a:58:0a:84:03:${(0xcd + number).toString(16)}`,
});

export const pods = [pod(1), pod(2)] as const;

export const workerAddress = "192.0.2.10";
export const gatewayAddress = "10.128.0.1";

/**
 * A cluster in namespaces:
 *
 * ```
 * w (worker) ── lan ── v1, v2 (pod VMs)        192.0.2.0/24, MTU as given
 *   cni0 ── p1, p2 (pods, eth0)                10.128.0.0/24, FORWARD drops all that does not come from cni0
 * c1, c2: the containers' namespaces of the VMs
 * ```
 */
export class Topology implements AsyncDisposable {
  readonly namespaces = new Namespaces();
  readonly worker: IpRoute2;

  private constructor() {
    this.worker = createIpRoute2({ hostNetns: this.namespaces.path("w") });
  }

  static async create({ mtu = 1500 }: { readonly mtu?: number } = {}): Promise<Topology> {
    const topology = new Topology();
    try {
      await topology.#build(mtu);
      return topology;
    } catch (error) {
      await topology[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The driver of a pod's VM. */
  vm({ vm }: Pod): IpRoute2 {
    return createIpRoute2({ hostNetns: this.namespaces.path(vm) });
  }

  /** Path of the pod's namespace on the worker. */
  podNetns({ pod }: Pod): string {
    return this.namespaces.path(pod);
  }

  /** Path of the containers' namespace in the VM. */
  containersNetns({ containers }: Pod): string {
    return this.namespaces.path(containers);
  }

  tunnel(pod: Pod, network: WorkerNetwork): WorkerTunnel {
    return {
      netnsPath: this.podNetns(pod),
      interface: network.interface,
      remote: pod.vmAddress,
      mtu: network.mtu,
      vxlanPort: 4789,
      vxlanId: vxlanIdOfPod(pod),
    };
  }

  /** What set-ups of either end have left: links, redirects, rules. Empty when all is as it was. */
  async leftovers(pod: Pod): Promise<readonly string[]> {
    const { namespaces } = this;
    const vxlans = ["ip", "-br", "link", "show", "type", "vxlan"];
    const signal = AbortSignal.timeout(10_000);
    const rules = await Promise.all(
      [this.worker, this.vm(pod)].map((driver) => listTunnelRules(driver, { signal })),
    );
    const listings = await Promise.all([
      namespaces.run(pod.pod, ["tc", "qdisc", "show", "dev", "eth0", "ingress"]),
      ...["w", pod.pod, pod.vm, pod.containers].map((label) => namespaces.run(label, vxlans)),
    ]);
    const own = rules.flat().filter(({ vxlanId }) => vxlanId === vxlanIdOfPod(pod));
    return [
      ...listings.filter((listing) => listing.trim() !== ""),
      ...own.map((rule) => JSON.stringify(rule)),
    ];
  }

  /** Tunnel packets of the worker so far. */
  async tunnelPackets(): Promise<{ readonly tracked: number; readonly untracked: number }> {
    const listing = await this.namespaces.run("w", ["nft", "list", "counters", "table", "ip", "watch"]);
    const [tracked = -1, untracked = -1] = ["tracked", "untracked"].map((name) =>
      Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(listing)?.[1]),
    );
    return { tracked, untracked };
  }

  async #build(mtu: number): Promise<void> {
    const { namespaces } = this;
    await namespaces.add("lan", "w", ...pods.flatMap(({ pod, vm, containers }) => [pod, vm, containers]));
    await namespaces.ip(
      "lan",
      "link add br0 type bridge",
      `link set br0 mtu ${mtu} up`,
      "addr add 192.0.2.1/24 dev br0",
    );
    await this.#plug("w", `${workerAddress}/24`, mtu);
    await namespaces.ip(
      "w",
      "link add cni0 type bridge",
      `addr add ${gatewayAddress}/24 dev cni0`,
      "link set cni0 up",
    );
    await namespaces.run("w", ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
    await namespaces.run("w", ["nft", "-f", "-"], forwardPolicy);
    await namespaces.run("w", ["nft", "-f", "-"], tunnelPacketCounters);
    for (const pod of pods) {
      await this.#plug(pod.vm, `${pod.vmAddress}/24`, mtu);
      await this.#addPod(pod);
    }
  }

  /** Connects a machine's `ens0` to the local network. */
  async #plug(label: string, address: string, mtu: number): Promise<void> {
    const { namespaces } = this;
    const port = `to-${label}`;
    await namespaces.ip(
      "lan",
      `link add ${port} mtu ${mtu} type veth peer name ens0 mtu ${mtu} netns ${namespaces.path(label)}`,
      `link set ${port} master br0 up`,
    );
    await namespaces.ip(
      label,
      `addr add ${address} dev ens0`,
      "link set ens0 up",
      "route add default via 192.0.2.1",
    );
  }

  /** What a bridge CNI plug-in does. */
  async #addPod({ pod, address, hwAddr }: Pod): Promise<void> {
    const { namespaces } = this;
    const path = namespaces.path(pod);
    await namespaces.ip(
      "w",
      `link add veth-${pod} type veth peer name eth0 address ${hwAddr} netns ${path}`,
      `link set veth-${pod} master cni0 up`,
    );
    await namespaces.ip(
      pod,
      `addr add ${address}/24 dev eth0`,
      "link set eth0 up",
      `route add default via ${gatewayAddress}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.namespaces[Symbol.asyncDispose]();
  }
}

/** As a hardened node: only what comes from the pods' bridge is forwarded. */
const forwardPolicy = `table ip filter {
  chain forward { type filter hook forward priority filter; policy drop; iifname "cni0" accept; }
}
`;

/** Counts the worker's tunnel packets, both ways, by whether they are known to connection tracking. */
const tunnelPacketCounters = `table ip watch {
  counter tracked { }
  counter untracked { }
  chain count {
    ct state untracked counter name untracked return
    counter name tracked
  }
  chain input { type filter hook input priority filter; udp dport 4789 jump count; }
  chain output { type filter hook output priority filter; udp dport 4789 jump count; }
}
`;

export function vxlanIdOfPod(pod: Pod): number {
  return 555_000 + indexOf(pod);
}

/** What the daemon writes into `apf.json`. */
export function podNetworkConfig(pod: Pod, network: WorkerNetwork): PodNetworkConfig {
  return { ...network, index: indexOf(pod), vxlanPort: 4789, vxlanId: vxlanIdOfPod(pod) };
}

function indexOf(pod: Pod): number {
  return pods.findIndex(({ vm }) => vm === pod.vm);
}
