import semver from "semver";
import { git, type Place } from "../programs.ts";

/** A tag of a release, `<package>/vX.Y.Z`. */
export interface ReleaseTag {
  readonly name: string;
  readonly shortName: string;
  readonly version: string;
  /** The commit, also for an annotated tag. */
  readonly commit: string;
  /** Whether the checked-out commit has it in its history. */
  readonly merged: boolean;
}

export function tagName(shortName: string, version: string): string {
  return `${shortName}/v${version}`;
}

/** All release tags, the newest version of a package first. */
export async function readTags(place: Place): Promise<readonly ReleaseTag[]> {
  const [all, merged] = await Promise.all([
    git(place, "for-each-ref", "refs/tags", "--format=%(refname:strip=2) %(objectname) %(*objectname)"),
    git(place, "tag", "--merged", "HEAD"),
  ]);
  const inHistory = new Set(merged.split("\n"));
  return lines(all)
    .map((line) => line.split(" "))
    .flatMap(([name = "", object = "", peeled = ""]) =>
      parse(name, { commit: peeled || object, merged: inHistory.has(name) }),
    )
    .toSorted((a, b) => semver.rcompare(a.version, b.version));
}

/** Tags of the remote by name: the commit of each. Asks the remote and writes nothing here. */
export async function readRemoteTags(place: Place, remote: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const line of lines(await git(place, "ls-remote", "--tags", remote))) {
    const [object = "", ref = ""] = line.split("\t");
    // A peeled entry comes behind its tag and replaces it: `^{}` is the commit of an annotated tag.
    found.set(ref.replace("refs/tags/", "").replace("^{}", ""), object);
  }
  return found;
}

function parse(
  name: string,
  { commit, merged }: { readonly commit: string; readonly merged: boolean },
): readonly ReleaseTag[] {
  const match = /^([a-z0-9-]+)\/v(.+)$/.exec(name);
  const version = semver.valid(match?.[2] ?? "");
  if (match?.[1] === undefined || version === null) return [];
  return [{ name, shortName: match[1], version, commit, merged }];
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
