import {
  encodeUserData,
  ProviderError,
  type CreateInstanceRequest,
  type Placement,
  type Tags,
  type UserDataLimit,
} from "@peerpods/cloud-providers";
import type { BlockDeviceMapping, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import type { AwsConfig, RootVolumeConfig } from "./config.ts";
import type { ImageFacts } from "./images.ts";
import type { Settings } from "./settings.ts";
import { tagSpecification } from "./tags.ts";

/** What a RunInstances call is made of. All of it is the same whenever the same request is repeated. */
export interface RunFacts {
  readonly config: AwsConfig;
  readonly settings: Settings;
  readonly placement: Placement;
  /** Absent: a launch template says it, and the root volume is left as it is there. */
  readonly image?: ImageFacts;
  readonly tags: Tags;
}

/** EC2 counts the bytes before the encoding. */
export const userDataLimit: UserDataLimit = {
  carrier: "EC2 UserData",
  encoding: "base64",
  maxBytes: 16_384,
};

/**
 * The call that makes one pod VM. It carries the request's token, so that EC2 makes one machine however often it comes.
 *
 * With a launch template, only what the pod itself wishes (type, image, spot) goes above the template's values.
 * @throws ProviderError `invalid_request` for user data over 16 KiB or an unknown zone.
 */
export function runRequest(request: CreateInstanceRequest, facts: RunFacts): RunInstancesCommandInput {
  const { config, tags, image } = facts;
  const { name, token, spec, userData } = request;
  const spot = spec.spot === true || config.spot.always;
  const root = image === undefined ? undefined : rootVolume(image, config.rootVolume);
  return {
    MinCount: 1,
    MaxCount: 1,
    ClientToken: token,
    UserData: encodeUserData(userData, userDataLimit),
    TagSpecifications: [
      tagSpecification("instance", name, tags),
      tagSpecification("volume", name, tags),
      tagSpecification("network-interface", name, tags),
      ...(spot ? [tagSpecification("spot-instances-request", name, tags)] : []),
    ],
    ...(root === undefined ? {} : { BlockDeviceMappings: [root] }),
    ...(spot ? { InstanceMarketOptions: spotOptions(config.spot.maxPrice) } : {}),
    ...(config.launchTemplate === "" ? explicit(request, facts) : fromTemplate(request, facts)),
  };
}

/** Whether the image must be looked at before: its root device is named in the call. */
export function shapesRootVolume({ sizeGiB, type, encrypted }: RootVolumeConfig): boolean {
  return sizeGiB > 0 || type !== "" || encrypted;
}

function fromTemplate(
  { spec }: CreateInstanceRequest,
  { config, placement }: RunFacts,
): Partial<RunInstancesCommandInput> {
  const wishesType = spec.instanceType !== "" || spec.vcpus > 0 || spec.memoryMiB > 0 || spec.gpus > 0;
  return {
    LaunchTemplate: { LaunchTemplateName: config.launchTemplate },
    ...(spec.image === "" ? {} : { ImageId: spec.image }),
    ...(wishesType ? { InstanceType: placement.instanceType as never } : {}),
  };
}

function explicit(
  { spec }: CreateInstanceRequest,
  { config, settings, placement }: RunFacts,
): Partial<RunInstancesCommandInput> {
  const subnet = subnetOf(placement, settings);
  const groups = [...settings.securityGroups];
  const { metadata } = config;
  return {
    ImageId: spec.image === "" ? config.image : spec.image,
    InstanceType: placement.instanceType as never,
    // A guest that powers itself off would otherwise stay, stopped, and keep its volume.
    InstanceInitiatedShutdownBehavior: "terminate",
    MetadataOptions: {
      HttpEndpoint: "enabled",
      HttpTokens: metadata.httpTokens,
      HttpPutResponseHopLimit: metadata.hopLimit,
    },
    ...(settings.keyName === "" ? {} : { KeyName: settings.keyName }),
    ...(config.confidential ? { CpuOptions: { AmdSevSnp: "enabled" } } : {}),
    ...(config.iamInstanceProfile === "" ? {} : { IamInstanceProfile: { Name: config.iamInstanceProfile } }),
    ...(config.publicAddress
      ? {
          NetworkInterfaces: [
            {
              DeviceIndex: 0,
              SubnetId: subnet,
              Groups: groups,
              AssociatePublicIpAddress: true,
              DeleteOnTermination: true,
            },
          ],
        }
      : { SubnetId: subnet, SecurityGroupIds: groups }),
  };
}

/** @throws ProviderError `invalid_request` for a zone that is not configured. */
export function subnetOf({ zone }: Placement, { subnets }: Settings): string {
  const subnet = subnets.get(zone);
  if (subnet !== undefined) return subnet;
  const known = [...subnets.keys()].filter(Boolean).join(", ");
  throw new ProviderError(
    "invalid_request",
    `zone ${JSON.stringify(zone.slice(0, 80))} has no subnet in zone-subnets; ${known === "" ? "no zones are configured" : `there are ${known}`}`,
  );
}

function rootVolume(image: ImageFacts, config: RootVolumeConfig): BlockDeviceMapping {
  const size = config.sizeGiB > 0 ? Math.max(config.sizeGiB, image.rootSizeGiB) : 0;
  return {
    DeviceName: image.rootDevice,
    Ebs: {
      DeleteOnTermination: true,
      ...(size > 0 ? { VolumeSize: size } : {}),
      ...(config.type === "" ? {} : { VolumeType: config.type as never }),
      ...(config.encrypted ? { Encrypted: true } : {}),
      ...(config.kmsKey === "" ? {} : { KmsKeyId: config.kmsKey }),
    },
  };
}

function spotOptions(maxPrice: string): NonNullable<RunInstancesCommandInput["InstanceMarketOptions"]> {
  return {
    MarketType: "spot",
    SpotOptions: {
      SpotInstanceType: "one-time",
      InstanceInterruptionBehavior: "terminate",
      ...(maxPrice === "" ? {} : { MaxPrice: maxPrice }),
    },
  };
}
