import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { internal, messageOf } from "../errors.ts";
import type { Run } from "../host/run.ts";
import type { ImageTools } from "../host/tools.ts";
import { readImageCommand, type ImageCommand } from "./image-command.ts";
import { imageSources, type ImageSource } from "./reference.ts";

/** How long a pull may take. */
export const PULL_LIMIT_MS = 30 * 60_000;

/** What unpacking an image takes of the VM. */
export interface ImageHost {
  readonly run: Run;
  readonly tools: ImageTools;
}

/** Where images come from. */
export interface ImageSourceOptions {
  /** OCI layouts by name. */
  readonly imageRoot: string;
  /** Credentials for registries; used when it exists. */
  readonly authFile: string;
  /** Registries (`host` or `host:port`) that are reached without TLS verification, or without TLS. */
  readonly insecureRegistries: readonly string[];
}

/**
 * Finds an image and unpacks it to `target`, which appears in one step: what is there is always complete. An earlier
 * directory of that name is replaced. Work is done beside it.
 * @returns what the image says about how to run it.
 * @throws ConnectError INTERNAL that names the image and every place where it was looked for.
 */
export async function unpackImage(
  { reference, target }: { readonly reference: string; readonly target: string },
  { options, host }: { readonly options: ImageSourceOptions; readonly host: ImageHost },
  signal: AbortSignal,
): Promise<ImageCommand> {
  const failures: string[] = [];
  for (const source of imageSources(reference, options.imageRoot)) {
    if (source.kind === "layout" && !(await exists(join(source.directory, "oci-layout")))) {
      failures.push(`${source.directory} is no OCI layout`);
      continue;
    }
    const work = await makeWorkDirectory(target);
    try {
      const layout =
        source.kind === "layout" ? source : await download(source, { work, options, host }, signal);
      const rootfs = join(work, "rootfs");
      const args = ["raw", "unpack", "--image", `${layout.directory}:${layout.tag}`, rootfs];
      await host.run(need(host, "umoci"), args, { signal, timeoutMs: PULL_LIMIT_MS });
      const command = await readImageCommand(layout);
      await rm(target, { recursive: true, force: true });
      await rename(rootfs, target);
      return command;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(messageOf(error));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw internal(`cannot get image ${JSON.stringify(reference)}: ${failures.join("; ")}`);
}

async function makeWorkDirectory(target: string): Promise<string> {
  const parent = join(target, "..");
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return mkdtemp(join(parent, ".pull-"));
}

async function download(
  source: Extract<ImageSource, { kind: "registry" }>,
  { work, options, host }: { work: string; options: ImageSourceOptions; host: ImageHost },
  signal: AbortSignal,
): Promise<{ directory: string; tag: string }> {
  const directory = join(work, "layout");
  const registry = source.name.split("/")[0] ?? "";
  const { authFile, insecureRegistries } = options;
  const args = [
    // Which images may run is for a policy of the agent to say; there is none here.
    "--insecure-policy",
    "copy",
    ...((await exists(authFile)) ? ["--src-authfile", authFile] : []),
    ...(insecureRegistries.includes(registry) ? ["--src-tls-verify=false"] : []),
    `docker://${source.name}`,
    `oci:${directory}:pulled`,
  ];
  await host.run(need(host, "skopeo"), args, { signal, timeoutMs: PULL_LIMIT_MS });
  return { directory, tag: "pulled" };
}

function need({ tools }: ImageHost, tool: "skopeo" | "umoci"): string {
  const path = tools[tool];
  if (path === undefined) throw internal(`the VM has no ${tool}`);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
