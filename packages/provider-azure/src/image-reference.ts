import { ProviderError } from "@peerpods/cloud-providers";

const name = String.raw`[\w.-]{1,90}`;
const group = String.raw`/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w().-]{1,90}/providers/Microsoft\.Compute`;

const managed = new RegExp(`^${group}/images/${name}$`, "i");
const gallery = new RegExp(`^(${group}/galleries/${name}/images/${name})(?:/versions/${name})?$`, "i");
const community = new RegExp(`^/CommunityGalleries/(${name})/Images/(${name})(?:/Versions/(${name}))?$`, "i");

/** What a pod or a configuration may name as an image. */
export const imageForms: readonly RegExp[] = [managed, gallery, community];

/** An image as Compute takes it. */
export type ImageReference = { readonly id: string } | { readonly communityGalleryImageId: string };

/** Where there is something to read of an image. */
export type ImageSource =
  | { readonly kind: "managed"; readonly id: string }
  /** `version` is the whole id; empty: the latest one. */
  | { readonly kind: "gallery"; readonly definition: string; readonly version: string }
  | {
      readonly kind: "community";
      readonly gallery: string;
      readonly image: string;
      /** Empty: the latest one. */
      readonly version: string;
    };

/** @throws ProviderError `invalid_request` for what names no image. */
export function imageReference(image: string): ImageReference {
  const source = imageSource(image);
  return source.kind === "community" ? { communityGalleryImageId: image } : { id: image };
}

/** @throws ProviderError `invalid_request` for what names no image. */
export function imageSource(image: string): ImageSource {
  if (managed.test(image)) return { kind: "managed", id: image };
  const inGallery = gallery.exec(image);
  if (inGallery !== null) {
    const [, definition = ""] = inGallery;
    return { kind: "gallery", definition, version: definition.length === image.length ? "" : image };
  }
  const inCommunity = community.exec(image);
  if (inCommunity !== null) {
    const [, publicName = "", imageName = "", version = ""] = inCommunity;
    return { kind: "community", gallery: publicName, image: imageName, version };
  }
  throw new ProviderError(
    "invalid_request",
    `${JSON.stringify(image.slice(0, 120))} is neither the resource id of an image nor a path of a community gallery`,
  );
}
