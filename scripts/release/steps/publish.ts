import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ReleaseError } from "../errors.ts";
import { readPublished, servesTarball, type PublishedVersion } from "../facts/registry.ts";
import { tagName, type ReleaseTag } from "../facts/tags.ts";
import type { Step } from "../plan/plan.ts";
import { output } from "../programs.ts";
import { editManifest } from "./manifest.ts";
import type { Scratch } from "./scratch.ts";

type Publish = Extract<Step, { readonly kind: "publish" }>;

/** How long a registry may take to serve what it took. */
const SERVED_WITHIN_MS = 5 * 60_000;
const LOOK_AGAIN_MS = 250;

/** Where a package is published to. */
export interface Target {
  readonly registry: string;
  readonly distTag: string;
}

/** Builds and packs what the tag names, publishes it, and waits until the registry serves it. */
export async function publish(
  scratch: Scratch,
  { package: one, version }: Publish,
  { registry, distTag }: Target,
): Promise<void> {
  const tag = one.tags.find((candidate) => candidate.version === version);
  if (tag === undefined) throw new Error(`${tagName(one.shortName, version)} was not made`);
  await scratch.toCommit(tag.commit);
  await output(scratch, "pnpm", ["install", "--frozen-lockfile", "--prefer-offline"]);
  await output(scratch, "pnpm", ["--filter", `${one.name}...`, "run", "--if-present", "build"]);
  try {
    const tarball = await pack(scratch, { dir: one.dir, tag });
    await upload(scratch, tarball, { registry, distTag });
  } catch (error) {
    scratch.signal.throwIfAborted();
    // Another release of the same tag may have been quicker: what counts is what the registry serves.
    const served = (await readPublished(registry, one.name, scratch.signal)).versions.get(version);
    if (served?.gitHead !== tag.commit) throw error;
  }
  await untilServed(scratch, { name: one.name, version, registry });
}

/**
 * The tarball names its commit, so that a tag that was moved afterwards is found out. It lies inside the clone, which a
 * release that is killed leaves to the next one.
 */
async function pack(
  scratch: Scratch,
  { dir, tag }: { readonly dir: string; readonly tag: ReleaseTag },
): Promise<string> {
  const into = join(scratch.dir, ".git/packed");
  await rm(into, { recursive: true, force: true });
  await mkdir(into);
  await editManifest(dir, (manifest) => void (manifest.gitHead = tag.commit));
  await output({ ...scratch, dir }, "pnpm", ["pack", "--pack-destination", into]);
  const [file] = await readdir(into);
  if (file === undefined) throw new Error(`pnpm pack wrote nothing for ${dir}`);
  return join(into, file);
}

async function upload(scratch: Scratch, tarball: string, { registry, distTag }: Target): Promise<void> {
  const args = ["publish", tarball, "--access", "public", "--tag", distTag, "--registry", registry];
  try {
    await output(scratch, "npm", args);
  } catch (error) {
    scratch.signal.throwIfAborted();
    throw new ReleaseError(
      "registry",
      `the registry refuses ${tarball.split("/").pop() ?? tarball}:\n${reasonOf(error)}`,
      {
        remedy:
          "see that this account may publish it, then run the release again; the tag stays and is published then",
        cause: error,
      },
    );
  }
}

/** What npm says about its failure, without its notices. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split("\n");
  return lines.filter((line) => line.startsWith("npm error") && !line.includes("complete log")).join("\n");
}

async function untilServed(
  { signal }: Scratch,
  { name, version, registry }: { readonly name: string; readonly version: string; readonly registry: string },
): Promise<void> {
  const deadline = Date.now() + SERVED_WITHIN_MS;
  for (;;) {
    const served: PublishedVersion | undefined = (await readPublished(registry, name, signal)).versions.get(
      version,
    );
    if (served !== undefined && (await servesTarball(served, signal))) return;
    if (Date.now() > deadline)
      throw new ReleaseError("registry", `the registry took ${name} ${version} and does not serve it`, {
        remedy: "run the release again later; it goes on where it stopped",
      });
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}
