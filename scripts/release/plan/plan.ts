import semver from "semver";
import { largestBump } from "../facts/change-files.ts";
import type { Facts, PackageFacts } from "../facts/facts.ts";
import type { Dependency } from "../facts/workspace.ts";
import type { ReleaseLine } from "./line.ts";
import { nextVersion } from "./next-version.ts";

/** A sibling that a package takes in another version than before. */
export interface Taken {
  readonly name: string;
  /** What is written, or was when the package was last released. */
  readonly from: string;
  readonly to: string;
  /** Whether package.json names the version, so that it and the lockfile change. */
  readonly pinned: boolean;
}

/** One thing to do. What each leaves at the remote and in the registry is whole. */
export type Step =
  /** Commit: exact versions of siblings, the lockfile, and a change file that says so. */
  | { readonly kind: "take"; readonly package: PackageFacts; readonly taken: readonly Taken[] }
  /** Commit and tag: version, changelog, change files used up. */
  | {
      readonly kind: "tag";
      readonly package: PackageFacts;
      readonly version: string;
      readonly reasons: readonly string[];
    }
  /** Build and pack what the tag names, publish it, wait until it is served. */
  | { readonly kind: "publish"; readonly package: PackageFacts; readonly version: string };

/**
 * What is to be done, in order: each package after what it depends on, so that what it takes is published by then.
 * A value of facts alone: where a release stopped, the plan of the facts that it left is the rest of it.
 * @throws ReleaseError see `nextVersion`
 */
export function planRelease({ packages }: Facts, line: ReleaseLine): readonly Step[] {
  const steps: Step[] = [];
  /** What each package will be called when the steps so far are done. */
  const versions = new Map(packages.map(({ name, version }) => [name, version]));
  for (const one of packages) {
    const tagged = one.tags.some(({ version }) => version === one.version);
    if (tagged && !one.published.versions.has(one.version))
      steps.push({ kind: "publish", package: one, version: one.version });
    const taken = siblingsToTake(one, versions);
    if (taken.length > 0) steps.push({ kind: "take", package: one, taken });
    const reasons = reasonsToRelease(one, { line, taken });
    if (reasons.length === 0) continue;
    const version = nextVersion(one, line);
    versions.set(one.name, version);
    steps.push({ kind: "tag", package: one, version, reasons }, { kind: "publish", package: one, version });
  }
  return steps;
}

function siblingsToTake(one: PackageFacts, versions: ReadonlyMap<string, string>): readonly Taken[] {
  return one.dependencies.flatMap((dependency): readonly Taken[] => {
    const { name, kind, spec } = dependency;
    const to = versions.get(name);
    if (to === undefined) return [];
    if (kind === "exact") return spec === to ? [] : [{ name, from: spec, to, pinned: true }];
    const from = one.siblingsAtLastTag.get(name);
    // A change file of its own says enough: what is packed next names the new range anyway.
    if (from === undefined || from === to || largestBump(one.changes) !== undefined) return [];
    return one.bundles || !semver.satisfies(to, packedRange(dependency, from))
      ? [{ name, from, to, pinned: false }]
      : [];
  });
}

/** What pnpm wrote for `workspace:^` when the sibling had that version. */
function packedRange({ spec }: Dependency, version: string): string {
  return spec === "^" || spec === "~" ? `${spec}${version}` : spec === "*" ? version : spec;
}

function reasonsToRelease(
  one: PackageFacts,
  { line, taken }: { readonly line: ReleaseLine; readonly taken: readonly Taken[] },
): readonly string[] {
  if (one.tags.length === 0) return ["never released"];
  const takes = taken.map(({ name, from, to }) => `takes ${name} ${to} (${from} until now)`);
  const bump = largestBump(one.changes);
  if (bump === undefined) return takes;
  // Change files of a pre-release stay, so they are no news by themselves.
  const isPre = semver.prerelease(one.version) !== null;
  if (isPre && line.preId !== undefined && !one.changedSinceLastTag) return takes;
  const ids = one.changes.filter(({ type }) => type !== "none").map(({ id }) => id);
  return [`${bump}: ${ids.join(", ")}`, ...takes];
}
