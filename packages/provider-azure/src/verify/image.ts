import { isProviderError, problem, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Arm } from "../client.ts";
import type { AzureConfig } from "../config.ts";
import { imageSource, type ImageSource } from "../image-reference.ts";
import type { Parts } from "../parts.ts";
import type { Size } from "../sizes.ts";

/** What is told of an image; empty: not told. */
interface ImageFacts {
  readonly regions: readonly string[];
  /** As in `InstanceSpec.arch`. */
  readonly arch: string;
  readonly securityType: string;
}

/** Whether the image can be used in the region, and fits the configured sizes. */
export async function verifyImage(
  parts: Parts,
  sizes: readonly Size[],
  call: CallContext,
): Promise<readonly Finding[]> {
  const { config } = parts;
  const arm = await parts.connect(call);
  const facts = await lookUp(arm, config, call).catch((error: unknown) => {
    if (isProviderError(error) && ["not_found", "invalid_config"].includes(error.code)) return undefined;
    throw error;
  });
  const say = (message: string, remedy: string) => problem("imageid", message, remedy);
  if (facts === undefined)
    return [
      say(
        `image ${config.image} does not exist${hintOf(config)}`,
        "name one that exists and that this identity may read",
      ),
    ];
  const findings: Finding[] = [];
  if (facts.regions.length > 0 && !facts.regions.includes(config.region))
    findings.push(
      say(
        `image ${config.image} is in ${facts.regions.join(", ")}, not in ${config.region}`,
        `replicate it to ${config.region}, or name one that is there`,
      ),
    );
  const unfit = sizes.filter(({ arch = "" }) => facts.arch !== "" && arch !== "" && arch !== facts.arch);
  if (unfit.length > 0)
    findings.push(
      say(
        `image ${config.image} is for ${facts.arch}, but ${unfit.map(({ name }) => name).join(", ")} is not`,
        "name sizes of the image's architecture in instance-size and instance-sizes",
      ),
    );
  if (config.confidential && facts.securityType !== "" && !/^Confidential/i.test(facts.securityType))
    findings.push(
      say(
        `image ${config.image} is no image for confidential VMs (security type ${facts.securityType})`,
        "make its definition with security type ConfidentialVMSupported, or set disable-cvm",
      ),
    );
  return findings;
}

/** A community gallery is asked for in one region only, so there the region may be what is wrong. */
function hintOf({ image, region }: AzureConfig): string {
  return imageSource(image).kind === "community" ? `, or has no copy in ${region}` : "";
}

interface ImageBody {
  readonly location?: string;
  readonly properties?: {
    readonly architecture?: string;
    readonly features?: readonly { readonly name?: string; readonly value?: string }[];
    readonly publishingProfile?: { readonly targetRegions?: readonly { readonly name?: string }[] };
  };
}

async function lookUp(arm: Arm, config: AzureConfig, call: CallContext): Promise<ImageFacts> {
  const source = imageSource(config.image);
  const none = { regions: [], arch: "", securityType: "" };
  switch (source.kind) {
    case "managed": {
      const { body } = await arm.call<ImageBody>("GetManagedImage", { path: source.id }, call);
      return { ...none, regions: regionsOf([body.location]) };
    }
    case "community":
      await arm.call("GetCommunityImageVersion", { path: communityPath(config, source) }, call);
      return none;
    case "gallery": {
      const [definition, version] = await Promise.all([
        arm.call<ImageBody>("GetImageDefinition", { path: source.definition }, call),
        source.version === ""
          ? undefined
          : arm.call<ImageBody>("GetImageVersion", { path: source.version }, call),
      ]);
      const { architecture = "", features = [] } = definition.body.properties ?? {};
      const regions = version?.body.properties?.publishingProfile?.targetRegions ?? [];
      return {
        regions: regionsOf(regions.map(({ name }) => name)),
        arch: { x64: "amd64", Arm64: "arm64" }[architecture] ?? "",
        securityType: features.find(({ name }) => name === "SecurityType")?.value ?? "",
      };
    }
  }
}

function communityPath(
  { subscription, region }: AzureConfig,
  { gallery, image, version }: Extract<ImageSource, { kind: "community" }>,
): string {
  const path = `/subscriptions/${subscription}/providers/Microsoft.Compute/locations/${region}/communityGalleries/${gallery}/images/${image}/versions`;
  return `${path}/${version === "" ? "latest" : version}`;
}

/** Azure writes regions as `West Europe` here and as `westeurope` there. */
function regionsOf(names: readonly (string | undefined)[]): readonly string[] {
  return names.flatMap((name) => (name === undefined ? [] : [name.toLowerCase().replaceAll(" ", "")]));
}
