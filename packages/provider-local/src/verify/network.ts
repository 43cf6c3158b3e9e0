import type { Finding } from "@peerpods/cloud-providers";
import { foreignBridgeRemedy, foreignBridgeText, inspectBridge } from "../network/bridge.ts";
import { routesInto } from "../network/known-routes.ts";
import { forwardsIpv4 } from "../network/nat.ts";
import { overlapRemedy, overlapText } from "../network/overlap.ts";
import type { CheckContext } from "./verify-host.ts";

/** The bridge's name and network, and forwarding. */
export async function verifyNetwork(context: CheckContext): Promise<Finding[]> {
  return [...(await verifyBridge(context)), ...(await verifySubnet(context)), ...(await verifyNat(context))];
}

async function verifyBridge({ local }: CheckContext): Promise<Finding[]> {
  if (!(await inspectBridge(local.bridge)).foreign) return [];
  return [
    {
      severity: "error",
      subject: "local-bridge",
      message: foreignBridgeText(local.bridge),
      remedy: foreignBridgeRemedy,
    },
  ];
}

async function verifySubnet({ local }: CheckContext): Promise<Finding[]> {
  const routes = await routesInto(local.bridge.subnet, local.bridge.name);
  return await Promise.all(
    routes.map(async (route) => ({
      severity: "error" as const,
      subject: "local-subnet",
      message: await overlapText(local.bridge, route),
      remedy: overlapRemedy,
    })),
  );
}

async function verifyNat({ local }: CheckContext): Promise<Finding[]> {
  if (!local.config.nat || (await forwardsIpv4())) return [];
  return [
    {
      severity: "error",
      subject: "local-nat",
      message: "this machine does not forward packets, so pod VMs reach nothing beyond it",
      remedy: "sysctl -w net.ipv4.ip_forward=1",
    },
  ];
}
