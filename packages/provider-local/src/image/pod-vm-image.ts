import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "../host/run.ts";
import type { PodVmImage } from "../local-host.ts";
import { baseLayerRecipe } from "./base-layer.ts";
import { bootFileInLayer, guestLayerRecipe, type GuestOptions } from "./guest-layer.ts";
import { ensureLayer, type LayerRecipe } from "./layer.ts";

export interface PodVmImageOptions extends GuestOptions {
  readonly cacheDirectory: string;
}

const BUILD_TIMEOUT_MS = 300_000;

/**
 * The image as a function that finds or builds it. Callers share the result, also while it is being built, so one
 * that gives up does not end the build of the others. A failure is not remembered, nor is an image that is gone.
 */
export function podVmImage(
  options: PodVmImageOptions,
  run: Run,
): (signal: AbortSignal) => Promise<PodVmImage> {
  let shared: Promise<PodVmImage> | undefined;
  return async (signal) => {
    if (shared !== undefined && !(await isThere(shared))) shared = undefined;
    shared ??= build(options, { run, signal: AbortSignal.timeout(BUILD_TIMEOUT_MS) });
    return await orAborted(shared, signal);
  };
}

async function build(
  options: PodVmImageOptions,
  call: { run: Run; signal: AbortSignal },
): Promise<PodVmImage> {
  const layer = async (recipe: Promise<LayerRecipe>) =>
    await ensureLayer(options.cacheDirectory, await recipe, call.signal);
  const [guest, base] = await Promise.all([
    layer(guestLayerRecipe(options, call)),
    layer(baseLayerRecipe(call)),
  ]);
  return {
    layers: [guest, base],
    busybox: join(base, "usr/bin/busybox"),
    bootFile: join(guest, bootFileInLayer),
  };
}

async function isThere(image: Promise<PodVmImage>): Promise<boolean> {
  try {
    const { busybox, bootFile } = await image;
    await Promise.all([access(busybox), access(bootFile)]);
    return true;
  } catch {
    return false;
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
