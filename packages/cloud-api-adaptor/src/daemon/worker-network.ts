import type { Logger } from "@peerpods/cloud-providers";
import {
  inspectWorkerNetwork,
  listTunnelRules,
  setUpWorkerTunnel,
  tearDownWorkerTunnel,
} from "@peerpods/pod-network";
import type { IpRoute2 } from "@peerpods/pod-network";
import type { PodNetwork } from "../sandbox/ports.ts";
import type { NetworkSettings } from "./settings.ts";

/** The worker's end of the pod network, by iproute2 and nftables. */
export function createWorkerNetwork(
  driver: IpRoute2,
  { network, logger }: { readonly network: NetworkSettings; readonly logger: Logger },
): PodNetwork {
  const { hostInterface, podSubnetCidrs, externalNetViaPodVm, vxlanPort } = network;
  return {
    inspect: async (netnsPath, options) => {
      const { omitted, ...facts } = await inspectWorkerNetwork(
        {
          netnsPath,
          podSubnetCidrs,
          externalNetViaPodVm,
          ...(hostInterface === "" ? {} : { hostInterface }),
        },
        driver,
        options,
      );
      if (omitted.length > 0)
        logger.warn({ netnsPath, omitted }, "parts of the pod's network do not reach its VM");
      return { ...facts, vxlanPort };
    },
    vnisInUse: async (options) =>
      new Set((await listTunnelRules(driver, options)).map(({ vxlanId }) => vxlanId)),
    setUp: (tunnel, options) => setUpWorkerTunnel(tunnel, driver, options),
    tearDown: (tunnel, options) => tearDownWorkerTunnel(tunnel, driver, options),
  };
}
