import { isIPv4 } from "node:net";
import type { WorkerTunnel } from "@peerpods/pod-network";
import type { PodNetwork, PodNetworkFacts, WaitOptions } from "../ports.ts";

/** A kernel that has network namespaces and tunnels, and no two tunnels of one VNI. */
export class FakeNetwork implements PodNetwork {
  readonly #tunnels = new Map<number, WorkerTunnel>();
  /** Namespaces that exist. */
  readonly namespaces = new Set<string>();
  /** VNIs that somebody else uses. */
  readonly foreignVnis = new Set<number>();
  dedicated = false;
  /** Called before each act; throw or wait to make the act fail or be slow. */
  before: (call: "inspect" | "setUp" | "tearDown", vni: number, signal: AbortSignal) => Promise<void> =
    async () => undefined;

  async inspect(netnsPath: string, { signal }: WaitOptions): Promise<PodNetworkFacts> {
    await this.before("inspect", 0, signal);
    signal.throwIfAborted();
    if (!this.namespaces.has(netnsPath)) throw new Error(`namespace ${netnsPath} does not exist`);
    return {
      podIp: "10.244.0.7/24",
      podHwAddr: "0a:58:0a:f4:00:07",
      interface: "eth0",
      workerNodeIp: "192.0.2.1/24",
      tunnelType: "vxlan",
      routes: [{ dst: "0.0.0.0/0", gw: "10.244.0.1", dev: "eth0" }],
      neighbors: [],
      mtu: 1450,
      vxlanPort: 4789,
      dedicated: this.dedicated,
      externalNetViaPodVm: false,
    };
  }

  async vnisInUse(): Promise<ReadonlySet<number>> {
    return new Set([...this.foreignVnis, ...this.#tunnels.keys()]);
  }

  async setUp(tunnel: WorkerTunnel, { signal }: WaitOptions): Promise<void> {
    if (!isIPv4(tunnel.remote)) throw new Error(`tunnel to ${tunnel.remote} is not possible`);
    await this.before("setUp", tunnel.vxlanId, signal);
    signal.throwIfAborted();
    if ((await this.vnisInUse()).has(tunnel.vxlanId)) throw new Error(`VNI ${tunnel.vxlanId} is in use`);
    if (!this.namespaces.has(tunnel.netnsPath))
      throw new Error(`namespace ${tunnel.netnsPath} does not exist`);
    this.#tunnels.set(tunnel.vxlanId, tunnel);
  }

  async tearDown(tunnel: WorkerTunnel, { signal }: WaitOptions): Promise<void> {
    await this.before("tearDown", tunnel.vxlanId, signal);
    signal.throwIfAborted();
    this.#tunnels.delete(tunnel.vxlanId);
  }

  get tunnels(): readonly WorkerTunnel[] {
    return [...this.#tunnels.values()];
  }
}
