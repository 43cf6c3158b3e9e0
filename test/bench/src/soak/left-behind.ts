import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createIpRoute2, listTunnelRules } from "@peerpods/pod-network";
import type { Cloud } from "../cloud/cloud.ts";
import type { WorkerNode } from "../stand/node.ts";

/** What is still there although every sandbox was stopped, one line each. */
export async function leftBehind(node: WorkerNode, cloud: Cloud): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(30_000);
  const [instances, sandboxes, directories, rules] = await Promise.all([
    cloud.instances(),
    node.sandboxes(),
    readdir(join(node.directory, "p")),
    listTunnelRules(createIpRoute2(), { signal }),
  ]);
  // The ids of one run follow each other; other daemons' are elsewhere.
  const ours = rules.filter(({ vxlanId }) => vxlanId >= node.minVni && vxlanId < node.minVni + 100_000);
  return [
    ...(instances === 0 ? [] : [`${instances} VMs in the cloud`]),
    ...(sandboxes === 0 ? [] : [`${sandboxes} sandboxes in relay or journal`]),
    ...directories.map((name) => `pod directory ${name}`),
    ...ours.map(({ vxlanId }) => `firewall rules of tunnel ${vxlanId}`),
  ];
}
