import { finding, type Check, type CheckContext } from "./check.ts";

/** Headers of a VXLAN packet over IPv4, and the least that IPv6 in the pod needs. */
const VXLAN_OVERHEAD = 50;
const MIN_POD_MTU = 1_280;

interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly operstate?: string;
  readonly linkinfo?: { readonly info_data?: { readonly port?: number; readonly external?: boolean } };
  readonly addr_info?: readonly { readonly family: string }[];
}

export const network: Check = {
  area: "network",
  async run(context) {
    return [
      ...(await underlay(context)),
      ...(await vxlanPort(context)),
      ...(await probePort(context)),
      ...(await leftovers(context)),
    ];
  },
};

async function underlay(context: CheckContext) {
  const { hostInterface } = context.settings.network;
  const name = hostInterface === "" ? await defaultInterface(context) : hostInterface;
  if (name === undefined) {
    return [
      finding("error", "default route", {
        message: "there is no IPv4 default route, so the tunnel's interface cannot be told",
        remedy: "name it with host-interface, or add a default route",
      }),
    ];
  }
  const [link] = await query<Link>(context, ["address", "show", "dev", name]);
  if (link === undefined) {
    return [
      finding("error", "host-interface", {
        message: `there is no network interface ${name}`,
        remedy: "ip link lists those that there are",
      }),
    ];
  }
  const findings = [];
  if (link.addr_info?.some(({ family }) => family === "inet") !== true) {
    findings.push(
      finding("error", name, {
        message: "this interface has no IPv4 address; tunnels run over IPv4",
        remedy: "give it one, or name another interface with host-interface",
      }),
    );
  }
  if (link.mtu - VXLAN_OVERHEAD < MIN_POD_MTU) {
    findings.push(
      finding("error", name, {
        message: `its MTU of ${link.mtu} leaves pods ${link.mtu - VXLAN_OVERHEAD} bytes; they need ${MIN_POD_MTU}`,
        remedy: `ip link set ${name} mtu 1500, if the network below allows it`,
      }),
    );
  }
  return findings;
}

async function defaultInterface(context: CheckContext): Promise<string | undefined> {
  const routes = await query<{ dev?: string; metric?: number }>(context, ["-4", "route", "show", "default"]);
  return routes.toSorted((a, b) => (a.metric ?? 0) - (b.metric ?? 0)).find(({ dev }) => dev !== undefined)
    ?.dev;
}

/** A link that takes every VXLAN id of a port leaves none for tunnels; some CNI plug-ins make such a one. */
async function vxlanPort(context: CheckContext) {
  const { vxlanPort: port } = context.settings.network;
  const links = await query<Link>(context, ["-d", "link", "show", "type", "vxlan"]);
  return links
    .filter(({ linkinfo }) => linkinfo?.info_data?.external === true && linkinfo.info_data.port === port)
    .map(({ ifname }) =>
      finding("error", "vxlan-port", {
        message: `the link ${ifname} takes all VXLAN ids of UDP port ${port}`,
        remedy: "choose another vxlan-port, e.g. 4790, and open it between node and pod VMs",
      }),
    );
}

async function probePort({ host, settings: { probePort: port } }: CheckContext) {
  if (port <= 0 || (await host.isPortFree(port))) return [];
  return [
    finding("warning", "probe-port", {
      message: `somebody listens on 127.0.0.1:${port}; if that is not the daemon itself, it cannot start`,
      remedy: "choose another probe-port, or 0 for none",
    }),
  ];
}

async function leftovers({ host }: CheckContext) {
  return (await host.leftNetworks()).map((name) =>
    finding("warning", name, {
      message: "a peerpods run that was killed has left this bridge and network namespace",
      remedy: `the next peerpods run removes them; or: ip netns delete ${name}; ip link delete ${name}`,
    }),
  );
}

async function query<T>({ host, signal }: CheckContext, args: readonly string[]): Promise<readonly T[]> {
  const { ok, stdout } = await host.run("ip", ["-j", ...args], { signal });
  return ok ? ((JSON.parse(stdout.trim() || "[]") as readonly T[] | undefined) ?? []) : [];
}
