import { succeeds, type Place } from "../programs.ts";
import { changesOf, readChangeFiles, type ChangeFiles, type PendingChange } from "./change-files.ts";
import { readVersionsAt } from "./files-at.ts";
import { readPublished, type PublishedPackage } from "./registry.ts";
import { readTags, type ReleaseTag } from "./tags.ts";
import { readWorkspace, type WorkspacePackage } from "./workspace.ts";

/** All that is known about one package before it is decided what to do with it. */
export interface PackageFacts extends WorkspacePackage {
  readonly changes: readonly PendingChange[];
  /** Its tags, the newest version first. */
  readonly tags: readonly ReleaseTag[];
  /** The newest of its tags in the history of the checked-out commit. */
  readonly lastTag: ReleaseTag | undefined;
  readonly published: PublishedPackage;
  /** Version of each published package of the workspace, by name, as of {@link lastTag}. */
  readonly siblingsAtLastTag: ReadonlyMap<string, string>;
  /** Whether its files or its change files are others than at {@link lastTag}. */
  readonly changedSinceLastTag: boolean;
}

export interface Facts {
  /** Each after what it depends on. */
  readonly packages: readonly PackageFacts[];
  readonly changeFiles: ChangeFiles;
}

/** Looks at the checkout in `place`, its tags, and the registry. Changes nothing. */
export async function gatherFacts(place: Place, registry: string): Promise<Facts> {
  const [packages, changeFiles, tags] = await Promise.all([
    readWorkspace(place.dir),
    readChangeFiles(place.dir),
    readTags(place),
  ]);
  const sources = { place, registry, packages, changeFiles, tags };
  return {
    packages: await Promise.all(packages.map((one) => factsOf(one, sources))),
    changeFiles,
  };
}

interface Sources {
  readonly place: Place;
  readonly registry: string;
  readonly packages: readonly WorkspacePackage[];
  readonly changeFiles: ChangeFiles;
  readonly tags: readonly ReleaseTag[];
}

async function factsOf(one: WorkspacePackage, sources: Sources): Promise<PackageFacts> {
  const { place, registry, packages, changeFiles } = sources;
  const tags = sources.tags.filter(({ shortName }) => shortName === one.shortName);
  const lastTag = tags.find(({ merged }) => merged);
  const changes = changesOf(changeFiles, one.name);
  const [published, siblingsAtLastTag, changedSinceLastTag] = await Promise.all([
    readPublished(registry, one.name, place.signal),
    lastTag === undefined ? new Map<string, string>() : siblingsAt(place, lastTag.commit, packages),
    lastTag === undefined
      ? true
      : changedSince(place, lastTag.commit, [one.path, ...changes.map(changePath)]),
  ]);
  return { ...one, changes, tags, lastTag, published, siblingsAtLastTag, changedSinceLastTag };
}

function changePath({ id }: PendingChange): string {
  return `.changeset/${id}.md`;
}

/** What the packages were called at a commit; a package that was not there then is left out. */
async function siblingsAt(
  place: Place,
  commit: string,
  packages: readonly WorkspacePackage[],
): Promise<ReadonlyMap<string, string>> {
  const versions = await readVersionsAt(
    place,
    packages.map(({ path }) => ({ commit, path })),
  );
  return new Map(
    packages.flatMap(({ name }, index) => {
      const version = versions[index];
      return version === undefined ? [] : [[name, version] as const];
    }),
  );
}

async function changedSince(place: Place, commit: string, paths: readonly string[]): Promise<boolean> {
  return !(await succeeds(place, "git", ["diff", "--quiet", commit, "HEAD", "--", ...paths]));
}
