import {
  ProviderError,
  isProviderError,
  shared,
  type CallContext,
  type Shared,
} from "@peerpods/cloud-providers";
import { resourceIdForm } from "./config.ts";
import type { Ibmcloud } from "./client.ts";

/** What a creation must know of an image. */
export interface ImageFacts {
  readonly id: string;
  /** Empty: not known, fits every profile. */
  readonly arch: string;
  readonly status: string;
}

/** Looks images up, each only once. */
export interface ImageCatalog {
  /** @throws ProviderError `not_found`, `invalid_request` for a malformed id. */
  get(id: string, call: CallContext): Promise<ImageFacts>;
}

/** Pods choose images by annotation, so the memory of them must have an end. */
const MAX_REMEMBERED = 100;

export function createImageCatalog(ibmcloud: (call: CallContext) => Promise<Ibmcloud>): ImageCatalog {
  const known = new Map<string, Shared<ImageFacts>>();
  return {
    async get(id, { signal, logger }) {
      if (!resourceIdForm.test(id))
        throw new ProviderError("invalid_request", `${JSON.stringify(id.slice(0, 80))} is not an image id`);
      const facts =
        known.get(id) ??
        shared(async (own) => {
          const call = { signal: own, logger };
          return await describeImage(await ibmcloud(call), id, call);
        });
      const [oldest] = known.keys();
      if (!known.has(id) && known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
      known.set(id, facts);
      return await facts.get(signal);
    },
  };
}

/** @throws ProviderError `not_found` when this account has no such image in this region. */
export async function describeImage(ibmcloud: Ibmcloud, id: string, call: CallContext): Promise<ImageFacts> {
  try {
    const { operating_system: system, status } = await ibmcloud.call("get_image", { id }, call);
    return { id, arch: system?.architecture ?? "", status };
  } catch (error) {
    if (!isProviderError(error) || error.code !== "not_found") throw error;
    throw new ProviderError(
      "not_found",
      `image ${id} does not exist in this region, or this account may not use it`,
      {
        cause: error,
      },
    );
  }
}

/**
 * The image for a machine: the pod's, else the first of the configured ones that fits the architecture. One of those that
 * cannot be looked up is passed over as long as another fits.
 * @throws ProviderError `invalid_request`, `not_found`.
 */
export async function chooseImage(
  images: ImageCatalog,
  {
    wished,
    configured,
    arch,
  }: { readonly wished: string; readonly configured: readonly string[]; readonly arch: string },
  call: CallContext,
): Promise<ImageFacts> {
  const fits = (image: ImageFacts) => image.arch === "" || arch === "" || image.arch === arch;
  if (wished !== "") {
    const image = await images.get(wished, call);
    if (fits(image)) return image;
    throw new ProviderError(
      "invalid_request",
      `image ${wished} is for ${image.arch}, but the profile is ${arch}`,
    );
  }
  let failure: Error | undefined;
  for (const id of configured) {
    try {
      const image = await images.get(id, call);
      if (fits(image)) return image;
    } catch (error) {
      if (!isProviderError(error) || error.code !== "not_found") throw error;
      call.logger.warn({ err: error, image: id }, "a configured image cannot be used");
      failure = error;
    }
  }
  if (failure !== undefined && configured.length === 1) throw failure;
  throw new ProviderError("invalid_request", `none of the images ${configured.join(", ")} is for ${arch}`, {
    cause: failure,
  });
}
