import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { CommandError, causeLine } from "../command-error.ts";
import { removeNetwork } from "./left-networks.ts";
import { claimNetwork } from "./network-claim.ts";

/** The network namespace of a pod. Disposal removes what was made for it; can be repeated. */
export interface PodNetwork extends AsyncDisposable {
  readonly path: string;
  /** The pod's IPv4 address, when it is known. */
  readonly address: string | undefined;
}

/**
 * The given namespace, or one made as a CNI bridge plugin would: a bridge on this node, a namespace on it with one address
 * and a default route. Names are unique; the network is one /30 of 10.222.0.0/16 picked at random among the free ones.
 * A process that is killed leaves them; `left-networks.ts` finds and removes them.
 */
export async function createPodNetwork(path: string | undefined, signal: AbortSignal): Promise<PodNetwork> {
  if (path !== undefined) return { path, address: undefined, [Symbol.asyncDispose]: async () => undefined };
  const name = `pprun-${randomBytes(4).toString("hex")}`;
  await using undo = new AsyncDisposableStack();
  undo.use(await claimNetwork(name));
  undo.defer(() => removeNetwork(name));
  try {
    const { gateway, address } = await freeSubnet(signal);
    await execa("ip", ["netns", "add", name], { cancelSignal: signal });
    await ipBatch(
      signal,
      [],
      [
        `link add ${name} type bridge`,
        `address add ${gateway}/30 dev ${name}`,
        `link set ${name} up`,
        `link add ${name}p type veth peer name eth0 netns ${name}`,
        `link set ${name}p master ${name} up`,
      ],
    );
    await ipBatch(
      signal,
      ["-n", name],
      [
        "link set lo up",
        `address add ${address}/30 dev eth0`,
        "link set eth0 up",
        `route add default via ${gateway}`,
      ],
    );
    const owned = undo.move();
    return { path: `/var/run/netns/${name}`, address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  } catch (error) {
    throw new CommandError(`cannot make a network namespace for the pod: ${causeLine(error)}`, {
      remedy: "run this as root, or give a prepared namespace with --netns",
      cause: error,
    });
  }
}

async function freeSubnet(signal: AbortSignal): Promise<{ gateway: string; address: string }> {
  const { stdout } = await execa("ip", ["-4", "-o", "address"], { cancelSignal: signal });
  for (;;) {
    const [third = 0, fourth = 0] = randomBytes(2);
    const base = fourth & 0xfc;
    const prefix = `10.222.${third}.`;
    if (!stdout.includes(` ${prefix}${base + 1}/`))
      return { gateway: `${prefix}${base + 1}`, address: `${prefix}${base + 2}` };
  }
}

async function ipBatch(
  signal: AbortSignal,
  where: readonly string[],
  lines: readonly string[],
): Promise<void> {
  await execa("ip", [...where, "-batch", "-"], { input: `${lines.join("\n")}\n`, cancelSignal: signal });
}
