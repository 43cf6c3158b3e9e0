import { ReleaseError } from "../errors.ts";
import type { Facts, PackageFacts } from "../facts/facts.ts";
import { readVersionsAt } from "../facts/files-at.ts";
import type { Place } from "../programs.ts";

/**
 * Whether versions, tags and registry can be true together.
 * @returns what contradicts, in words, nothing when all is well
 */
export async function contradictions(place: Place, { packages }: Facts): Promise<readonly string[]> {
  const found = await Promise.all(packages.map((one) => contradictionsOf(place, one)));
  return found.flat();
}

/** @throws ReleaseError `contradiction` with all of {@link contradictions} */
export async function checkConsistent(place: Place, facts: Facts): Promise<void> {
  const found = await contradictions(place, facts);
  if (found.length > 0)
    throw new ReleaseError("contradiction", found.join("\n"), {
      remedy: "restore what was changed by hand; docs/releasing.md says how for each",
    });
}

async function contradictionsOf(place: Place, one: PackageFacts): Promise<readonly string[]> {
  const { name, path, version, tags, published } = one;
  const found: string[] = [];
  const inTrees = await readVersionsAt(
    place,
    tags.map(({ commit }) => ({ commit, path })),
  );
  for (const [index, tag] of tags.entries()) {
    const inTree = inTrees[index];
    if (inTree !== undefined && inTree !== tag.version)
      found.push(
        `the tag ${tag.name} is on a commit where ${name} has version ${inTree}: it was moved, or made by hand`,
      );
    const { gitHead } = published.versions.get(tag.version) ?? {};
    if (gitHead !== undefined && gitHead !== tag.commit)
      found.push(
        `the tag ${tag.name} was moved: ${tag.version} is published from ${gitHead.slice(0, 12)}, the tag is ${tag.commit.slice(0, 12)}`,
      );
  }
  for (const there of published.versions.keys())
    if (!tags.some((tag) => tag.version === there))
      found.push(`${name} ${there} is in the registry, and its tag ${one.shortName}/v${there} is missing`);
  if (tags.length > 0 && !tags.some((tag) => tag.version === version))
    found.push(
      `${name} has version ${version} in package.json and no tag for it: only a release changes versions`,
    );
  return found;
}
