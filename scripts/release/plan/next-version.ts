import semver from "semver";
import { ReleaseError } from "../errors.ts";
import { largestBump } from "../facts/change-files.ts";
import type { PackageFacts } from "../facts/facts.ts";
import { tagName } from "../facts/tags.ts";
import type { ReleaseLine } from "./line.ts";

/**
 * The version that a package takes next. `asked` is what its change files ask for, a patch at least.
 *
 * A package that was never released starts with the version that its package.json names. A pre-release counts on from
 * the tags of the same version.
 * @throws ReleaseError `change_files` on a patch line, `contradiction` when the version is taken.
 */
export function nextVersion(one: PackageFacts, line: ReleaseLine): string {
  const bump = largestBump(one.changes) ?? "patch";
  const lastStable = one.tags.find(({ merged, version }) => merged && semver.prerelease(version) === null);
  if (line.patchesOnly && bump !== "patch")
    throw new ReleaseError(
      "change_files",
      `${one.name}: a ${bump} change cannot be released on a patch line`,
      {
        remedy: "release it from main, or word it as a patch if that is what it is",
      },
    );
  const base =
    lastStable === undefined
      ? withoutPre(one.version)
      : semver.inc(lastStable.version, bump, { loose: false });
  if (base === null) throw new Error(`${one.name}: ${one.version} is no version`);
  const version =
    line.preId === undefined ? base : `${base}-${line.preId}.${nextNumber(one, base, line.preId)}`;
  if (one.tags.some((tag) => tag.version === version))
    throw new ReleaseError(
      "contradiction",
      `${tagName(one.shortName, version)} exists already, from another branch`,
      {
        remedy: "a tag never moves: release this change with the line that took the number",
      },
    );
  return version;
}

function withoutPre(version: string): string | null {
  const parsed = semver.parse(version);
  return parsed === null ? null : `${parsed.major}.${parsed.minor}.${parsed.patch}`;
}

function nextNumber({ tags }: PackageFacts, base: string, preId: string): number {
  const taken = tags
    .map(({ version }) => version)
    .filter((version) => withoutPre(version) === base && semver.prerelease(version)?.[0] === preId)
    .map((version) => Number(semver.prerelease(version)?.[1]));
  return Math.max(0, ...taken) + 1;
}
