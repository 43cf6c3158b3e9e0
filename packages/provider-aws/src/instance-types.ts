import {
  ProviderError,
  isProviderError,
  type InstanceType,
  type CallContext,
} from "@peerpods/cloud-providers";
import type { InstanceTypeInfo } from "@aws-sdk/client-ec2";
import type { AwsConfig } from "./config.ts";
import type { Ec2 } from "./client.ts";

/** An EC2 type with what is judged before a machine of it is asked for. */
export interface Ec2InstanceType extends InstanceType {
  /** Whether it can be a confidential VM (AMD SEV-SNP). */
  readonly confidential: boolean;
}

/** EC2's words for architectures, in ours. */
const architectures: Readonly<Record<string, string>> = { x86_64: "amd64", arm64: "arm64" };

export function archOf(name: string | undefined): string {
  return architectures[name ?? ""] ?? "";
}

/** EC2 describes at most so many types in one call. */
const TYPES_PER_CALL = 100;

/**
 * The default type and all allowed ones, as EC2 describes them.
 * @throws ProviderError `invalid_config` when EC2 does not know one of them.
 */
export async function describeInstanceTypes(
  ec2: Ec2,
  config: Pick<AwsConfig, "instanceType" | "instanceTypes">,
  call: CallContext,
): Promise<readonly Ec2InstanceType[]> {
  const wanted = [...new Set([config.instanceType, ...config.instanceTypes])];
  const found: Ec2InstanceType[] = [];
  for (let at = 0; at < wanted.length; at += TYPES_PER_CALL) {
    const InstanceTypes = wanted.slice(at, at + TYPES_PER_CALL) as InstanceTypeInfo["InstanceType"][];
    try {
      const answer = await ec2.call("DescribeInstanceTypes", { InstanceTypes: InstanceTypes as never }, call);
      found.push(...(answer.InstanceTypes ?? []).map(instanceTypeOf));
    } catch (error) {
      if (!isProviderError(error) || !["not_found", "invalid_request"].includes(error.code)) throw error;
      throw new ProviderError(
        "invalid_config",
        `instance-type or instance-types (PODVM_INSTANCE_TYPE, PODVM_INSTANCE_TYPES): ${error.message}`,
        { cause: error },
      );
    }
  }
  const missing = wanted.filter((name) => !found.some((type) => type.name === name));
  if (missing.length === 0) return found;
  throw new ProviderError(
    "invalid_config",
    `instance-type or instance-types: EC2 has no ${missing.join(", ")} in this region`,
  );
}

function instanceTypeOf(info: InstanceTypeInfo): Ec2InstanceType {
  const { VCpuInfo, MemoryInfo, GpuInfo, ProcessorInfo } = info;
  const arch = (ProcessorInfo?.SupportedArchitectures ?? []).map(archOf).find((name) => name !== "");
  return {
    name: info.InstanceType ?? "",
    vcpus: VCpuInfo?.DefaultVCpus ?? 0,
    memoryMiB: MemoryInfo?.SizeInMiB ?? 0,
    gpus: (GpuInfo?.Gpus ?? []).reduce((sum, { Count = 0 }) => sum + Count, 0),
    confidential: (ProcessorInfo?.SupportedFeatures ?? []).includes("amd-sev-snp"),
    ...(arch === undefined ? {} : { arch }),
  };
}
