import { isProviderError, problem, warning, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Ibmcloud } from "../client.ts";
import type { IbmcloudConfig } from "../config.ts";
import type { AnswerOf, OperationName } from "../operations.ts";
import type { Settings } from "../settings.ts";

/** Whether subnets, groups and key exist, belong together, and have room. */
export async function verifyNetwork(
  ibmcloud: Ibmcloud,
  { config, settings }: { readonly config: IbmcloudConfig; readonly settings: Settings },
  call: CallContext,
): Promise<readonly Finding[]> {
  const { tunnel, sshKey } = config;
  const look = async <Name extends OperationName>(name: Name, id: string) =>
    await existing(ibmcloud.call(name, { id }, call));
  const groups = [
    ...settings.securityGroups.map((id) => ["security-group-ids", id] as const),
    ...(tunnel.securityGroup === "" ? [] : [["secondary-security-group-id", tunnel.securityGroup] as const]),
  ];
  const findings = await Promise.all([
    ...[["primary-subnet-id", settings.subnet] as const, ["secondary-subnet-id", tunnel.subnet] as const]
      .filter(([, id]) => id !== "")
      .map(async ([option, id]) =>
        subnetFindings(option, { id, subnet: await look("get_subnet", id), settings }),
      ),
    ...groups.map(async ([option, id]) => {
      const group = await look("get_security_group", id);
      if (group === undefined)
        return [problem(option, `security group ${id} does not exist`, "name one that does")];
      return group.vpc.id === settings.vpc
        ? []
        : [
            problem(
              option,
              `security group ${id} is of VPC ${group.vpc.id}, not ${settings.vpc}`,
              "name one of that VPC",
            ),
          ];
    }),
    ...(sshKey === ""
      ? []
      : [
          look("get_key", sshKey).then((key) =>
            key === undefined
              ? [
                  problem(
                    "key-id",
                    `SSH key ${sshKey} does not exist in this region`,
                    "name one that does, or none",
                  ),
                ]
              : [],
          ),
        ]),
  ]);
  return findings.flat();
}

function subnetFindings(
  option: string,
  {
    id,
    subnet,
    settings,
  }: {
    readonly id: string;
    readonly subnet: AnswerOf<"get_subnet"> | undefined;
    readonly settings: Settings;
  },
): Finding[] {
  if (subnet === undefined)
    return [problem(option, `subnet ${id} does not exist in this region`, "name one that does")];
  const findings: Finding[] = [];
  if (subnet.zone.name !== settings.zone)
    findings.push(
      problem(
        option,
        `subnet ${id} is in zone ${subnet.zone.name}, but pod VMs go to ${settings.zone}`,
        "name a subnet of that zone, or another zone-name",
      ),
    );
  if (subnet.vpc.id !== settings.vpc)
    findings.push(
      problem(option, `subnet ${id} is of VPC ${subnet.vpc.id}, not ${settings.vpc}`, "correct vpc-id"),
    );
  if (subnet.available_ipv4_address_count === 0)
    findings.push(warning(option, `subnet ${id} has no free address`, "name a larger one, or free some"));
  return findings;
}

async function existing<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isProviderError(error) && error.code === "not_found") return undefined;
    throw error;
  }
}
