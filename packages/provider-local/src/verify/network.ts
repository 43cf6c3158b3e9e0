import type { Finding } from "@peerpods/cloud-providers";
import { foreignBridgeText, inspectBridge } from "../network/bridge.ts";
import { forwardsIpv4 } from "../network/nat.ts";
import { formatSubnet, overlaps, parseDestination } from "../network/subnet.ts";
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
      remedy: "choose another local-bridge, and another local-subnet",
    },
  ];
}

/** Routes of this machine into the subnet, other than by our own bridge. */
async function verifySubnet({ local, call }: CheckContext): Promise<Finding[]> {
  const output = await local.run("ip", ["-j", "route", "show", "table", "main"], { signal: call.signal });
  const routes = JSON.parse(output || "[]") as { dst?: string; dev?: string }[];
  return routes.flatMap(({ dst = "", dev = "" }) => {
    const destination = parseDestination(dst);
    if (destination === undefined || dev === local.config.bridge) return [];
    if (!overlaps(destination, local.config.subnet)) return [];
    return [
      {
        severity: "error" as const,
        subject: "local-subnet",
        message: `${formatSubnet(local.config.subnet)} meets the route to ${dst} through ${dev}`,
        remedy: "choose a local-subnet that this machine does not know",
      },
    ];
  });
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
