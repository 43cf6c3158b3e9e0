import {
  isProviderError,
  ProviderError,
  type CallContext,
  type InstanceType,
} from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import type { IbmcloudConfig } from "./config.ts";
import type { VpcProfile } from "./model.ts";

/** An instance profile with what is judged before a machine of it is asked for. */
export interface Profile extends InstanceType {
  readonly arch: string;
  /** Whether it can be a confidential VM: Intel TDX, or Secure Execution on s390x. */
  readonly confidential: boolean;
}

/**
 * The default profile and all allowed ones, as the VPC API describes them.
 * @throws ProviderError `invalid_config` when it does not know one of them, or none is configured: only a creation needs one.
 */
export async function describeProfiles(
  ibmcloud: Ibmcloud,
  config: Pick<IbmcloudConfig, "profile" | "profiles">,
  call: CallContext,
): Promise<readonly Profile[]> {
  if (config.profile === "")
    throw new ProviderError(
      "invalid_config",
      "profile-name (IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME) or profile-list: name an instance profile",
    );
  const wanted = [...new Set([config.profile, ...config.profiles])];
  return await Promise.all(
    wanted.map(async (id) => {
      try {
        return profileOf(await ibmcloud.call("get_instance_profile", { id }, call));
      } catch (error) {
        if (!isProviderError(error) || error.code !== "not_found") throw error;
        throw new ProviderError(
          "invalid_config",
          `profile-name or profile-list (IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME, IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST): this region has no profile ${id}`,
          { cause: error },
        );
      }
    }),
  );
}

function profileOf(described: VpcProfile): Profile {
  const { name, vcpu_count: vcpus, memory, vcpu_architecture: architecture, gpu_count: gpus } = described;
  const arch = architecture.value ?? "";
  return {
    name,
    vcpus: vcpus.value ?? 0,
    memoryMiB: (memory.value ?? 0) * 1024,
    gpus: gpus?.value ?? 0,
    arch,
    confidential:
      arch === "s390x"
        ? hasSecureExecution(name)
        : (described.confidential_compute_modes?.values.includes("tdx") ?? false) &&
          (described.secure_boot_modes?.values.includes(true) ?? false),
  };
}

/** Inferred: the API does not tell, but IBM names the families with Secure Execution `bz2e`, `cz2e`, `mz2e`. */
function hasSecureExecution(name: string): boolean {
  return /^[a-z]z\d+e-/.test(name);
}
