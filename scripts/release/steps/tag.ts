import { applyReleasePlan } from "@changesets/apply-release-plan";
import { defaultConfig } from "@changesets/config";
import { getPackages } from "@manypkg/get-packages";
import { largestBump } from "../facts/change-files.ts";
import type { Facts, PackageFacts } from "../facts/facts.ts";
import { tagName } from "../facts/tags.ts";
import type { ReleaseLine } from "../plan/line.ts";
import type { Step } from "../plan/plan.ts";
import { git } from "../programs.ts";
import { updateLockfile } from "./lockfile.ts";
import { editManifest } from "./manifest.ts";
import { commitAll, push } from "./push.ts";
import type { Scratch } from "./scratch.ts";
import { writeReleaseFile } from "./release-file.ts";
import { writeChangeFile } from "./write-change-file.ts";

type Tag = Extract<Step, { readonly kind: "tag" }>;

/** Gives a package its next version, with changelog, commit and tag, and pushes commit and tag together. */
export async function tag(
  scratch: Scratch,
  { package: one, version }: Tag,
  { facts, line }: { readonly facts: Facts; readonly line: ReleaseLine },
): Promise<void> {
  if (line.preId === undefined) await writeVersionAndChangelog(scratch, { one, version, facts });
  else await editManifest(one.dir, (manifest) => void (manifest.version = version));
  await writeReleaseFile(one.dir);
  await repinUnpublished({ one, version, facts });
  await updateLockfile(scratch);
  await commitAll(scratch, `Release ${one.name} ${version}`);
  const name = tagName(one.shortName, version);
  await git(scratch, "tag", "--annotate", "-m", `${one.name} ${version}`, name);
  await push(scratch, name);
}

/** changesets' part. It uses up whole change files, so what they say of other packages is written again. */
async function writeVersionAndChangelog(
  scratch: Scratch,
  { one, version, facts }: { readonly one: PackageFacts; readonly version: string; readonly facts: Facts },
): Promise<void> {
  const mine = facts.changeFiles.filter(({ releases }) => releases.some(({ name }) => name === one.name));
  const changesets = mine.map((file) => ({
    ...file,
    releases: file.releases.filter(({ name }) => name === one.name),
  }));
  const release = {
    name: one.name,
    type: largestBump(one.changes) ?? "patch",
    oldVersion: one.version,
    newVersion: version,
    changesets: changesets.map(({ id }) => id),
  };
  const packages = await getPackages(scratch.dir);
  // The project's other settings are about choosing versions, and `auto` would format with what it finds.
  const config = { ...defaultConfig, format: false as const };
  await applyReleasePlan({ changesets, releases: [release], preState: undefined }, packages, config);
  for (const file of mine)
    await writeChangeFile(scratch.dir, {
      ...file,
      releases: file.releases.filter(({ name }) => name !== one.name),
    });
}

/**
 * A dependent that pins the version before this one takes that from the registry from now on. Where it was never published
 * (the first pre-release of a package), nothing is there to take, and the pin moves along.
 */
async function repinUnpublished({
  one,
  version,
  facts,
}: {
  readonly one: PackageFacts;
  readonly version: string;
  readonly facts: Facts;
}): Promise<void> {
  if (one.published.versions.has(one.version) || version === one.version) return;
  for (const dependent of facts.packages) {
    if (!dependent.dependencies.some(({ name, spec }) => name === one.name && spec === one.version)) continue;
    await editManifest(dependent.dir, ({ dependencies = {} }) => void (dependencies[one.name] = version));
    await writeReleaseFile(dependent.dir);
  }
}
