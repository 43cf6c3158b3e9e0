import { execa } from "execa";

/** A pod's network as a CNI bridge plugin leaves it: one address and a default route in a namespace on a bridge. */
export interface PodNamespace {
  readonly name: string;
  readonly path: string;
  readonly address: string;
}

/** A bridge on this machine with the namespaces attached to it. */
export interface PodBridge extends AsyncDisposable {
  readonly gateway: string;
  /** Adds a namespace with the next address. `/var/run/netns/<name>` is its path. */
  addPod(name: string): Promise<PodNamespace>;
}

/**
 * Makes a bridge with the first address of `subnet` (three octets, e.g. `10.231.7`, always /24).
 * Disposal removes bridge and namespaces and can be repeated.
 */
export async function createPodBridge(name: string, subnet: string): Promise<PodBridge> {
  const gateway = `${subnet}.1`;
  const pods: string[] = [];
  await ipBatch([
    `link add ${name} type bridge`,
    `address add ${gateway}/24 dev ${name}`,
    `link set ${name} up`,
  ]);
  return {
    gateway,
    async addPod(pod) {
      const address = `${subnet}.${pods.length + 2}`;
      const host = `${name}p${pods.length}`;
      await execa("ip", ["netns", "add", pod]);
      pods.push(pod);
      await ipBatch([
        `link add ${host} mtu 1500 type veth peer name eth0 netns ${pod}`,
        `link set ${host} master ${name} up`,
      ]);
      await ipBatch(
        [
          "link set lo up",
          `address add ${address}/24 dev eth0`,
          "link set eth0 up",
          `route add default via ${gateway}`,
        ],
        pod,
      );
      return { name: pod, path: `/var/run/netns/${pod}`, address };
    },
    async [Symbol.asyncDispose]() {
      for (const pod of pods.splice(0)) await execa("ip", ["netns", "delete", pod], { reject: false });
      await execa("ip", ["link", "delete", name], { reject: false });
    },
  };
}

async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  const inside = namespace === undefined ? [] : ["-n", namespace];
  await execa("ip", [...inside, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}
