import { isProviderError, problem, warning, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Arm } from "../client.ts";
import { sameId } from "../names.ts";
import type { Parts } from "../parts.ts";
import { pagesOf } from "../pages.ts";
import type { NamedResource } from "../wire.ts";

/** A subnet with fewer free addresses than this is said to be nearly full. */
const FEW_ADDRESSES = 10;

interface SubnetUsage {
  readonly id?: string;
  readonly currentValue?: number;
  readonly limit?: number;
}

/** Whether subnet and security group exist, are in the region, and have room. */
export async function verifyNetwork(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const { config } = parts;
  const arm = await parts.connect(call);
  const findings: Finding[] = [];
  if (await exists(() => arm.call("GetSubnet", { path: config.subnet }, call)))
    findings.push(...(await verifyRoom(arm, config.subnet, call)));
  else findings.push(problem("subnetid", `subnet ${config.subnet} does not exist`, "name one that does"));
  if (config.securityGroup === "") return findings;
  const path = config.securityGroup;
  let group: NamedResource | undefined;
  const found = await exists(async () => {
    group = (await arm.call<NamedResource>("GetSecurityGroup", { path }, call)).body;
  });
  if (!found)
    findings.push(problem("securitygroupid", `security group ${path} does not exist`, "name one that does"));
  const region = (group?.location ?? config.region).toLowerCase().replaceAll(" ", "");
  if (region !== config.region)
    findings.push(
      problem(
        "securitygroupid",
        `security group ${path} is in ${region}, not in ${config.region}`,
        "name one of the region",
      ),
    );
  return findings;
}

async function verifyRoom(arm: Arm, subnet: string, call: CallContext): Promise<readonly Finding[]> {
  const path = `${subnet.replace(/\/subnets\/[^/]+$/i, "")}/usages`;
  for await (const usage of pagesOf<SubnetUsage>(arm, { name: "ListNetworkUsages", path }, call)) {
    if (!sameId(usage.id ?? "", subnet)) continue;
    const free = (usage.limit ?? Infinity) - (usage.currentValue ?? 0);
    const remedy = "name a larger subnet, or free addresses of this one";
    if (free <= 0) return [problem("subnetid", `subnet ${subnet} has no free address`, remedy)];
    if (free < FEW_ADDRESSES)
      return [warning("subnetid", `subnet ${subnet} has only ${free} free addresses`, remedy)];
  }
  return [];
}

async function exists(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (error) {
    if (isProviderError(error) && ["not_found", "invalid_config"].includes(error.code)) return false;
    throw error;
  }
}
