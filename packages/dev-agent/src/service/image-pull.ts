import { isAbsolute, join, normalize } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { ImagePullService, type ImagePullRequest } from "@peerpods/kata-protocols/image-pull";
import type { Logger } from "pino";
import { invalidArgument } from "../errors.ts";
import { unpackImage, type ImageHost, type ImageSourceOptions } from "../image/image-source.ts";
import { answering, deadlineOf } from "./handler.ts";

/**
 * The image pull of the confidential data hub, as a real kata agent asks for it: puts the image's root file system
 * into the bundle, as `rootfs`.
 */
export function imagePullRoutes(
  images: { readonly options: ImageSourceOptions; readonly host: ImageHost },
  logger: Logger,
): (router: ConnectRouter) => void {
  const pullImage = answering<ImagePullRequest, object>(async ({ imageUrl, bundlePath }, context) => {
    if (!isAbsolute(bundlePath) || normalize(bundlePath) !== bundlePath)
      throw invalidArgument(`bundle path ${JSON.stringify(bundlePath)} is not an absolute path`);
    const target = join(bundlePath, "rootfs");
    await unpackImage({ reference: imageUrl, target }, images, deadlineOf(context));
    return {};
  }, logger);
  return (router) => router.service(ImagePullService, { pullImage });
}
