import type { PodNeighbor, PodNetworkConfig, PodRoute } from "@peerpods/podvm-contract";
import { type Command, command, joined } from "../driver/batch.ts";
import { PodNetworkError } from "../errors.ts";
import { addVxlanLink } from "../tunnel/vxlan.ts";
import type { PodVMTunnel } from "./tunnel.ts";

/** In the VM's own namespace: makes the containers' interface, which is the tunnel. The VM's own may well have its name. */
export function planPodLink(tunnel: PodVMTunnel, place: { netns: string; mtu: number }): readonly Command[] {
  return [addVxlanLink({ ...tunnel, ...place, name: firstName(tunnel), stayDown: true })];
}

/** In the containers' namespace: gives a link that was just made the name that containers know it by. */
export function planPodLinkName(tunnel: PodVMTunnel): readonly Command[] {
  return [command`link set dev ${firstName(tunnel)} name ${tunnel.interface}`];
}

function firstName({ vxlanId }: PodVMTunnel): string {
  return `pptun${vxlanId}`;
}

/**
 * In the containers' namespace: everything on the link that exists. Each command can be repeated, so that a forwarder
 * started again brings a link it finds up to date without interrupting anyone.
 */
export function planPodNetwork(
  config: PodNetworkConfig,
  { mtu }: { readonly mtu: number },
): readonly Command[] {
  const dev = config.interface;
  const mac = config.podHwAddr === "" ? undefined : command`address ${config.podHwAddr}`;
  return [
    joined(command`link set dev ${dev} mtu ${mtu}`, mac, command`up`),
    // The on-link route comes from the worker's list if the pod has one; the kernel shall not add its own.
    command`addr replace ${config.podIp} dev ${dev} noprefixroute`,
    ...planRoutes(config),
    ...config.neighbors.map((neighbor) => addNeighbor(neighbor, dev)),
  ];
}

/** Routes without gateway first: the others' gateways are reached by them. */
function planRoutes(config: PodNetworkConfig): readonly Command[] {
  const { externalNetViaPodVm } = config;
  // In external mode the default route is the second interface's; setting the tunnel's first would cut a running pod.
  const wanted = config.routes.filter(({ dst }) => !(externalNetViaPodVm && dst === "0.0.0.0/0"));
  // The worker's list is ordered by metric, which it cannot carry: the first route to a destination is the one in use.
  const routes = [...Map.groupBy(wanted, ({ dst }) => dst).values()].flatMap(([first]) =>
    first ? [first] : [],
  );
  const [direct, viaGateway] = [routes.filter(({ gw }) => !gw), routes.filter(({ gw }) => gw)];
  return [...direct, ...viaGateway].map((route) => addRoute(route, config.interface));
}

function addRoute({ dst, gw, dev = "", protocol, scope }: PodRoute, podInterface: string): Command {
  if (dev !== "" && dev !== podInterface) {
    throw new PodNetworkError(
      "invalid_config",
      `route ${dst} is over ${dev}, but the pod has only ${podInterface}`,
    );
  }
  const origin = protocol === undefined ? undefined : command`proto ${protocol}`;
  if (!gw) return joined(command`route replace ${dst} dev ${podInterface} scope link`, origin);
  const reach = scope === undefined || scope === "universe" ? undefined : command`scope ${scope}`;
  // The format does not carry the on-link flag that some CNI plug-ins set. There is only one link, so it is safe.
  return joined(command`route replace ${dst} via ${gw} dev ${podInterface} onlink`, origin, reach);
}

function addNeighbor({ ip, hwAddr, dev = "", state }: PodNeighbor, podInterface: string): Command {
  if (ip === "" || state === "none" || (dev !== "" && dev !== podInterface)) {
    throw new PodNetworkError(
      "invalid_config",
      `neighbour ${ip} of apf.json needs an address, a state and the interface ${podInterface}`,
    );
  }
  const mac = hwAddr ? command`lladdr ${hwAddr}` : undefined;
  return joined(command`neigh replace ${ip}`, mac, command`dev ${podInterface} nud ${state}`);
}
