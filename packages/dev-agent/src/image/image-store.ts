import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { internal, messageOf } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { orAborted } from "../or-aborted.ts";
import { imageSources, type ImageSource } from "./reference.ts";

/** A pull is not bound to the call that asked for it: after a timeout the next attempt finds it done. */
const PULL_LIMIT_MS = 30 * 60_000;

export interface ImageStoreOptions {
  /** Images are unpacked below this directory. */
  readonly directory: string;
  /** OCI layouts by name. */
  readonly imageRoot: string;
  /** Credentials for registries; used when it exists. */
  readonly authFile: string;
  /** Registries (`host` or `host:port`) that are reached without TLS verification, or without TLS. */
  readonly insecureRegistries: readonly string[];
}

/** Images unpacked in this VM, each once. */
export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #host: Host;
  readonly #unpacked = new Map<string, Promise<string>>();
  readonly #lifetime = new AbortController();

  constructor(options: ImageStoreOptions, host: Host) {
    this.#options = options;
    this.#host = host;
  }

  /**
   * The root file system of an image, which must not be changed. Pulled and unpacked by the first who asks; those who
   * ask meanwhile wait for it. A failure is not kept.
   * @throws ConnectError INTERNAL that names the image and every place where it was looked for.
   */
  async rootfs(reference: string, signal: AbortSignal): Promise<string> {
    let pending = this.#unpacked.get(reference);
    if (pending === undefined) {
      pending = this.#obtain(reference);
      this.#unpacked.set(reference, pending);
      pending.catch(() => this.#unpacked.delete(reference));
    }
    return orAborted(pending, signal);
  }

  /** Stops what is being pulled. Can be repeated. */
  [Symbol.dispose](): void {
    this.#lifetime.abort(internal("the image store was closed"));
  }

  async #obtain(reference: string): Promise<string> {
    const signal = AbortSignal.any([this.#lifetime.signal, AbortSignal.timeout(PULL_LIMIT_MS)]);
    const failures: string[] = [];
    for (const source of imageSources(reference, this.#options.imageRoot)) {
      if (source.kind === "layout" && !(await isLayout(source.directory))) {
        failures.push(`${source.directory} is no OCI layout`);
        continue;
      }
      try {
        return await this.#unpack(reference, source, signal);
      } catch (error) {
        signal.throwIfAborted();
        failures.push(messageOf(error));
      }
    }
    throw internal(`cannot get image ${JSON.stringify(reference)}: ${failures.join("; ")}`);
  }

  /** Unpacks beside the final place, so that what is there is always complete. */
  async #unpack(reference: string, source: ImageSource, signal: AbortSignal): Promise<string> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const work = await mkdtemp(join(directory, "pull-"));
    try {
      const layout = source.kind === "layout" ? source : await this.#download(source.name, work, signal);
      const rootfs = join(work, "rootfs");
      const umoci = this.#need("umoci");
      await this.#host.run(umoci, ["raw", "unpack", "--image", `${layout.directory}:${layout.tag}`, rootfs], {
        signal,
        timeoutMs: PULL_LIMIT_MS,
      });
      const final = join(directory, createHash("sha256").update(reference).digest("hex"));
      await rm(final, { recursive: true, force: true });
      await rename(rootfs, final);
      return final;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  async #download(
    name: string,
    work: string,
    signal: AbortSignal,
  ): Promise<{ directory: string; tag: string }> {
    const directory = join(work, "layout");
    const registry = name.split("/")[0] ?? "";
    const { authFile, insecureRegistries } = this.#options;
    const args = [
      // Which images may run is for a policy of the agent to say; there is none here.
      "--insecure-policy",
      "copy",
      ...((await exists(authFile)) ? ["--src-authfile", authFile] : []),
      ...(insecureRegistries.includes(registry) ? ["--src-tls-verify=false"] : []),
      `docker://${name}`,
      `oci:${directory}:pulled`,
    ];
    await this.#host.run(this.#need("skopeo"), args, { signal, timeoutMs: PULL_LIMIT_MS });
    return { directory, tag: "pulled" };
  }

  #need(tool: "skopeo" | "umoci"): string {
    const path = this.#host.tools[tool];
    if (path === undefined) throw internal(`the VM has no ${tool}`);
    return path;
  }
}

function isLayout(directory: string): Promise<boolean> {
  return exists(join(directory, "oci-layout"));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
