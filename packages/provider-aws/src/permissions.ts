/** IAM actions that a part of what the provider does needs. */
export interface PermissionSet {
  /** Id of its statement in the policy. */
  readonly id: string;
  readonly purpose: string;
  readonly actions: readonly string[];
  /** Whether no pod VM can be made without it. */
  readonly always?: true;
}

/**
 * The least that the role of the provider must be allowed, by what it is for. A test runs the provider with nothing more, and
 * finds every action used.
 */
export const permissionSets: readonly PermissionSet[] = [
  {
    id: "PodVMs",
    purpose: "pod VMs: create, find, list, delete",
    always: true,
    actions: [
      "ec2:RunInstances",
      "ec2:CreateTags",
      "ec2:DescribeImages",
      "ec2:DescribeInstanceTypes",
      "ec2:DescribeInstances",
      "ec2:DescribeTags",
      "ec2:TerminateInstances",
    ],
  },
  {
    id: "Leftovers",
    purpose: "removal of what a crash left beside an instance",
    always: true,
    actions: [
      "ec2:DeleteNetworkInterface",
      "ec2:DeleteVolume",
      "ec2:DescribeAddresses",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeVolumes",
      "ec2:DetachNetworkInterface",
      "ec2:DisassociateAddress",
      "ec2:ReleaseAddress",
    ],
  },
  {
    id: "Verifier",
    purpose: "`peerpods doctor aws`, `cloud-config-verify`",
    actions: ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "servicequotas:GetServiceQuota"],
  },
  {
    id: "SecondInterface",
    purpose: "a second network interface (`ext-network-via-podvm`)",
    actions: [
      "ec2:AttachNetworkInterface",
      "ec2:CreateNetworkInterface",
      "ec2:ModifyNetworkInterfaceAttribute",
    ],
  },
  {
    id: "PublicAddress",
    purpose: "its public address (`use-public-ip`)",
    actions: ["ec2:AllocateAddress", "ec2:AssociateAddress"],
  },
  { id: "DataVolumes", purpose: "data volumes of pods", actions: ["ec2:AttachVolume"] },
  { id: "Logs", purpose: "`peerpods logs`", actions: ["ec2:GetConsoleOutput"] },
  {
    id: "InstanceProfile",
    purpose: "an instance profile (`iam-instance-profile`)",
    actions: ["iam:PassRole"],
  },
];

/** The list as a table for the README. */
export function permissionsMarkdown(sets: readonly PermissionSet[]): string {
  return [
    "| for | needed | IAM actions |",
    "|---|---|---|",
    ...sets.map(
      ({ purpose, actions, always }) =>
        `| ${purpose} | ${always === true ? "always" : "when used"} | ${actions.map((name) => `\`${name}\``).join(" ")} |`,
    ),
  ].join("\n");
}

/** The list as an IAM policy with one statement for each part, so that a part that is not used can be left out. */
export function permissionsPolicy(sets: readonly PermissionSet[]): object {
  return {
    Version: "2012-10-17",
    Statement: sets.map(({ id, actions }) => ({
      Sid: id,
      Effect: "Allow",
      Action: actions,
      Resource: "*",
    })),
  };
}
