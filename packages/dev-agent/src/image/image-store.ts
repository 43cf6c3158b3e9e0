import { createHash } from "node:crypto";
import { join } from "node:path";
import { internal } from "../errors.ts";
import { orAborted } from "../or-aborted.ts";
import type { ImageCommand } from "./image-command.ts";
import { PULL_LIMIT_MS, unpackImage, type ImageHost, type ImageSourceOptions } from "./image-source.ts";

/** An image that is ready to be used. */
export interface UnpackedImage {
  /** Its root file system, which must not be changed. */
  readonly rootfs: string;
  readonly command: ImageCommand;
}

/** Images unpacked in this VM, each once. */
export class ImageStore implements Disposable {
  readonly #directory: string;
  readonly #options: ImageSourceOptions;
  readonly #host: ImageHost;
  readonly #unpacked = new Map<string, Promise<UnpackedImage>>();
  readonly #lifetime = new AbortController();

  /** @param options.directory images are unpacked below it. */
  constructor(options: ImageSourceOptions & { readonly directory: string }, host: ImageHost) {
    this.#directory = options.directory;
    this.#options = options;
    this.#host = host;
  }

  /**
   * An image, pulled and unpacked by the first who asks; those who ask meanwhile wait for it. A pull is not bound to
   * the call that asked for it: after a timeout the next attempt finds it done. A failure is not kept.
   * @throws ConnectError INTERNAL that names the image and every place where it was looked for.
   */
  async get(reference: string, signal: AbortSignal): Promise<UnpackedImage> {
    let pending = this.#unpacked.get(reference);
    if (pending === undefined) {
      pending = this.#unpack(reference);
      this.#unpacked.set(reference, pending);
      pending.catch(() => this.#unpacked.delete(reference));
    }
    return orAborted(pending, signal);
  }

  /** Stops what is being pulled. Can be repeated. */
  [Symbol.dispose](): void {
    this.#lifetime.abort(internal("the image store was closed"));
  }

  async #unpack(reference: string): Promise<UnpackedImage> {
    const signal = AbortSignal.any([this.#lifetime.signal, AbortSignal.timeout(PULL_LIMIT_MS)]);
    const target = join(this.#directory, createHash("sha256").update(reference).digest("hex"));
    const command = await unpackImage(
      { reference, target },
      { options: this.#options, host: this.#host },
      signal,
    );
    return { rootfs: target, command };
  }
}
