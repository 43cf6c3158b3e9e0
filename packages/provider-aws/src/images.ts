import { ProviderError, shared, type CallContext, type Shared } from "@peerpods/cloud-providers";
import type { Image } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { archOf } from "./instance-types.ts";

/** What a creation must know of an AMI. These do not change during an AMI's life. */
export interface ImageFacts {
  readonly id: string;
  readonly rootDevice: string;
  /** GiB of the root volume; 0 when EC2 does not tell. */
  readonly rootSizeGiB: number;
  /** As in `InstanceSpec.arch`; empty: not known. */
  readonly arch: string;
}

/** Looks images up, each only once. */
export interface ImageCatalog {
  /** @throws ProviderError `not_found`, `invalid_request` for a malformed id, `invalid_config` for an image without root device. */
  get(id: string, call: CallContext): Promise<ImageFacts>;
}

/** Pods choose images by annotation, so the memory of them must have an end. */
const MAX_REMEMBERED = 100;

export function createImageCatalog(ec2: (call: CallContext) => Promise<Ec2>): ImageCatalog {
  const known = new Map<string, Shared<ImageFacts>>();
  return {
    async get(id, { signal, logger }) {
      const facts =
        known.get(id) ??
        shared(async (own) => {
          const call = { signal: own, logger };
          return factsOf(await describeImage(await ec2(call), id, call));
        });
      const [oldest] = known.keys();
      if (!known.has(id) && known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
      // Also while it is being looked up: a crowd of pods asks once.
      known.set(id, facts);
      return await facts.get(signal);
    },
  };
}

/** @throws ProviderError `not_found` when the image does not exist or this account may not use it. */
export async function describeImage(ec2: Ec2, id: string, call: CallContext): Promise<Image> {
  if (!/^ami-[0-9a-f]{8,32}$/.test(id))
    throw new ProviderError("invalid_request", `${JSON.stringify(id.slice(0, 80))} is not an AMI id`);
  const { Images = [] } = await ec2.call("DescribeImages", { ImageIds: [id] }, call);
  const [image] = Images;
  if (image === undefined)
    throw new ProviderError("not_found", `image ${id} does not exist, or this account may not use it`);
  return image;
}

export function factsOf(image: Image): ImageFacts {
  const id = image.ImageId ?? "";
  const rootDevice = image.RootDeviceName ?? "";
  if (rootDevice === "")
    throw new ProviderError(
      "invalid_config",
      `image ${id} has no root device name, so its volume cannot be sized`,
    );
  const root = (image.BlockDeviceMappings ?? []).find(({ DeviceName }) => DeviceName === rootDevice);
  return { id, rootDevice, rootSizeGiB: root?.Ebs?.VolumeSize ?? 0, arch: archOf(image.Architecture) };
}
