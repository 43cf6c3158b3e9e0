import { execa } from "execa";

/** A network of its own for the cloud's VMs, as far from the node as another machine: one hop away over a link. */
export interface CloudNetwork extends AsyncDisposable {
  /** Name of the namespace in which all of the addresses are local. */
  readonly netns: string;
  /** First two octets of the VMs' addresses, which are from PREFIX.128.0 to PREFIX.255.255. */
  readonly prefix: string;
}

/**
 * Makes namespace, link and routes. VMs on loopback would not do: the kernel would deliver a pod's tunnel packets to the very
 * tunnel they come from.
 */
export async function createCloudNetwork(): Promise<CloudNetwork> {
  const id = process.pid.toString(36);
  const netns = `ppb-${id}-cloud`;
  const link = `bc${id}`;
  const prefix = `10.${128 + (process.pid % 100)}`;
  await using resources = new AsyncDisposableStack();
  await execa("ip", ["netns", "add", netns]);
  resources.defer(async () => void (await execa("ip", ["netns", "delete", netns])));
  await execa("ip", ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", netns]);
  // Goes with the namespace later, but not within this process's time.
  resources.defer(async () => void (await execa("ip", ["link", "delete", link])));
  await execa("ip", ["-batch", "-"], {
    input: lines(
      `address add ${prefix}.0.1/24 dev ${link}`,
      `link set ${link} up`,
      `route add ${prefix}.128.0/17 via ${prefix}.0.2`,
    ),
  });
  await execa("ip", ["-n", netns, "-batch", "-"], {
    input: lines(
      "link set lo up",
      `address add ${prefix}.0.2/24 dev eth0`,
      "link set eth0 up",
      `route add local ${prefix}.128.0/17 dev lo`,
    ),
  });
  const owned = resources.move();
  return { netns, prefix, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function lines(...commands: readonly string[]): string {
  return `${commands.join("\n")}\n`;
}
