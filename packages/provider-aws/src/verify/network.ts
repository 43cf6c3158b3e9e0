import { problem, warning, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Subnet } from "@aws-sdk/client-ec2";
import type { Ec2 } from "../client.ts";
import { isGone } from "../errors.ts";
import type { Settings } from "../settings.ts";

/** Whether subnets and groups exist, belong together, and have room. */
export async function verifyNetwork(
  ec2: Ec2,
  settings: Settings,
  call: CallContext,
): Promise<readonly Finding[]> {
  const wanted = [...settings.subnets].filter(([, id]) => id !== "");
  const subnets = await existing(
    wanted.map(([, id]) => id),
    async (ids) => {
      const { Subnets = [] } = await ec2.call("DescribeSubnets", { SubnetIds: ids }, call);
      return Subnets;
    },
  );
  const groups = await existing(settings.securityGroups, async (ids) => {
    const { SecurityGroups = [] } = await ec2.call("DescribeSecurityGroups", { GroupIds: ids }, call);
    return SecurityGroups;
  });
  const findings = wanted.flatMap(([zone, id]) =>
    verifySubnet(
      zone,
      id,
      subnets.find(({ SubnetId }) => SubnetId === id),
    ),
  );
  const missing = settings.securityGroups.filter((id) => !groups.some(({ GroupId }) => GroupId === id));
  if (missing.length > 0)
    findings.push(
      problem(
        "securitygroupids",
        `security group ${missing.join(", ")} does not exist`,
        "name one that does",
      ),
    );
  const networks = new Set([...subnets, ...groups].map(({ VpcId }) => VpcId));
  if (networks.size > 1)
    findings.push(
      problem(
        "securitygroupids",
        `subnets and security groups are of different VPCs: ${[...networks].join(", ")}`,
        "name subnets and groups of one VPC",
      ),
    );
  return findings;
}

function verifySubnet(zone: string, id: string, subnet: Subnet | undefined): Finding[] {
  const subject = zone === "" ? "subnetid" : "zone-subnets";
  if (subnet === undefined) return [problem(subject, `subnet ${id} does not exist`, "name one that does")];
  const findings: Finding[] = [];
  if (zone !== "" && subnet.AvailabilityZone !== zone)
    findings.push(
      problem(
        subject,
        `subnet ${id} is in zone ${subnet.AvailabilityZone}, not in ${zone}`,
        "write each subnet behind its own zone",
      ),
    );
  if (subnet.AvailableIpAddressCount === 0)
    findings.push(warning(subject, `subnet ${id} has no free address`, "name a larger one, or free some"));
  return findings;
}

/** Those of the ids that exist. One that does not fails EC2's answer for all, so they are then asked one by one. */
async function existing<Thing>(
  ids: readonly string[],
  describe: (ids: string[]) => Promise<readonly Thing[]>,
): Promise<readonly Thing[]> {
  if (ids.length === 0) return [];
  try {
    return await describe([...ids]);
  } catch (error) {
    if (!isGone(error)) throw error;
    if (ids.length === 1) return [];
  }
  const found: Thing[] = [];
  for (const id of ids) found.push(...(await existing([id], describe)));
  return found;
}
