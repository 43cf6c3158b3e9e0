import { problem, warning, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Ec2 } from "../client.ts";
import type { AwsConfig } from "../config.ts";
import { describeImage, factsOf } from "../images.ts";
import type { Ec2InstanceType } from "../instance-types.ts";

/** Whether the AMI can be used, and fits the configured types. */
export async function verifyImage(
  ec2: Ec2,
  { config, types }: { readonly config: AwsConfig; readonly types: readonly Ec2InstanceType[] },
  call: CallContext,
): Promise<readonly Finding[]> {
  if (config.image === "") return [];
  const image = await describeImage(ec2, config.image, call);
  const findings: Finding[] = [];
  if (image.State !== undefined && image.State !== "available")
    findings.push(
      problem(
        "imageid",
        `image ${config.image} is ${image.State}`,
        "wait until it is available, or name another",
      ),
    );
  const { arch } = factsOf(image);
  const unfit = types.filter((type) => arch !== "" && type.arch !== undefined && type.arch !== arch);
  if (unfit.length > 0)
    findings.push(
      problem(
        "imageid",
        `image ${config.image} is for ${arch}, but ${unfit.map(({ name }) => name).join(", ")} is not`,
        "name types of the image's architecture in instance-type and instance-types",
      ),
    );
  if (config.confidential && image.BootMode !== undefined && !image.BootMode.startsWith("uefi"))
    findings.push(
      problem(
        "imageid",
        `image ${config.image} boots by ${image.BootMode}, but AMD SEV-SNP needs UEFI`,
        "register the image with boot mode uefi, or set disable-cvm",
      ),
    );
  if (image.DeprecationTime !== undefined && Date.parse(image.DeprecationTime) < Date.now())
    findings.push(
      warning(
        "imageid",
        `image ${config.image} is deprecated since ${image.DeprecationTime}`,
        "name a newer one",
      ),
    );
  return findings;
}
