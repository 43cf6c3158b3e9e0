import { problem, warning, type Finding } from "@peerpods/cloud-providers";
import type { AwsConfig } from "../config.ts";
import type { Ec2InstanceType } from "../instance-types.ts";

/** Whether the configured types can do what the other options ask of them. */
export function verifyTypes(config: AwsConfig, types: readonly Ec2InstanceType[]): readonly Finding[] {
  if (!config.confidential || config.launchTemplate !== "") return [];
  const unfit = types.filter((type) => !type.confidential).map(({ name }) => name);
  if (unfit.length === 0) return [];
  const remedy = "name types with AMD SEV-SNP (m6a, c6a, r6a), or set disable-cvm";
  if (unfit.includes(config.instanceType))
    return [problem("instance-type", `${config.instanceType} cannot be a confidential VM`, remedy)];
  return [
    warning("instance-types", `${unfit.join(", ")} cannot be confidential VMs and are never used`, remedy),
  ];
}
