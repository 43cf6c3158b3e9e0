import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Storage } from "@peerpods/kata-protocols/agent";
import { invalidArgument } from "../errors.ts";
import { runTool } from "../host/host.ts";
import { mount, unmount } from "../host/mounts.ts";
import { CommandError } from "../host/run.ts";
import { withArgs, withImageCommand } from "../runtime-spec/command.ts";
import { findPauseBundle } from "./pause-bundle.ts";
import type { AttachedStorage, StorageContext } from "./storage-context.ts";

/** Keys under which CRI plugins say what a container is. */
const typeKeys = ["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"];
const OPTION = "image_guest_pull=";

/** The root file system of a container, from an image that is pulled in the VM, or from the pause bundle. */
export async function attachImage(
  storage: Storage,
  context: StorageContext,
  signal: AbortSignal,
): Promise<AttachedStorage> {
  const target = storage.mountPoint;
  if (isSandbox(storage)) {
    const { rootfs, args } = await findPauseBundle(context);
    const detach = await attachLayer({ lower: rootfs, target }, context, signal);
    return { adapt: (spec) => withArgs(spec, args), detach };
  }
  const { rootfs, command } = await context.images.get(storage.source, signal);
  const detach = await attachLayer({ lower: rootfs, target }, context, signal);
  return { adapt: (spec) => withImageCommand(spec, command), detach };
}

function isSandbox({ driverOptions, source }: Storage): boolean {
  const option = driverOptions.find((candidate) => candidate.startsWith(OPTION));
  if (option === undefined) return source === "pause";
  const { metadata } = parseOption(option.slice(OPTION.length));
  return typeKeys.some((key) => metadata?.[key] === "sandbox");
}

function parseOption(text: string): { metadata?: Record<string, unknown> } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Reported below, as any other text that is no object.
  }
  throw invalidArgument(`driver option ${OPTION} does not hold a JSON object`);
}

/** Mounts an image with a layer of the container's own above it, and returns what undoes it. */
async function attachLayer(
  { lower, target }: { lower: string; target: string },
  context: StorageContext,
  signal: AbortSignal,
): Promise<(signal: AbortSignal) => Promise<void>> {
  const { host } = context;
  const name = target.replaceAll("/", "-");
  const layer = join(context.layerDirectory, name);
  const copy = join(context.copyDirectory, name);
  const detach = async (ending: AbortSignal): Promise<void> => {
    await unmount(target, host, ending);
    for (const directory of [layer, copy, target]) await rm(directory, { recursive: true, force: true });
  };
  const [upper, work] = [join(layer, "upper"), join(layer, "work")];
  for (const directory of [upper, work, target]) await mkdir(directory, { recursive: true });
  try {
    const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`];
    await mount({ type: "overlay", source: "overlay", target, options }, host, signal).catch(
      async (error: unknown) => {
        if (!(error instanceof CommandError)) throw error;
        // Overlays can be stacked only twice, and a VM on a machine whose own root is one has used that up.
        host.logger.warn({ err: error, image: lower }, "cannot mount an overlay: copying the image instead");
        await mkdir(context.copyDirectory, { recursive: true, mode: 0o700 });
        await runTool(host, host.tools.cp, { args: ["-a", lower, copy], signal });
        await mount({ source: copy, target, options: ["bind"] }, host, signal);
      },
    );
    return detach;
  } catch (error) {
    await detach(AbortSignal.timeout(10_000));
    throw error;
  }
}
