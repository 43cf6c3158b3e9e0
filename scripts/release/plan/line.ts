import { ReleaseError } from "../errors.ts";

/** What kind of versions a release makes. */
export interface ReleaseLine {
  /** Tag under which npm finds what is published. */
  readonly distTag: string;
  /** Only patches, on a branch `patch/<name>` that was cut from the tag of an older release. */
  readonly patchesOnly: boolean;
  /** `alpha`, `beta`, …: versions `X.Y.Z-alpha.N`; change files stay for the release that follows. */
  readonly preId: string | undefined;
}

/** As {@link lineOf}, to look from any branch: what would be released if it were main. */
export function lineToLookAt(branch: string, preId: string | undefined): ReleaseLine {
  return lineOf(branch.startsWith("patch/") ? branch : "main", preId);
}

/** @throws ReleaseError `wrong_branch`, `usage` */
export function lineOf(branch: string, preId: string | undefined): ReleaseLine {
  if (preId !== undefined && !/^[a-z]+$/.test(preId))
    throw new ReleaseError("usage", `a pre-release is named by small letters, not ${JSON.stringify(preId)}`, {
      remedy: "e.g. --pre alpha",
    });
  if (branch === "main") return { distTag: preId ?? "latest", patchesOnly: false, preId };
  const name = /^patch\/([a-z0-9.-]+)$/.exec(branch)?.[1];
  if (name === undefined)
    throw new ReleaseError(
      "wrong_branch",
      `releases are made on main or on patch/<name>, not on ${branch || "no branch"}`,
      {
        remedy: "git switch main, or for a patch of an older release: git switch -c patch/<name> <its tag>",
      },
    );
  return { distTag: preId === undefined ? `patch-${name}` : `${preId}-${name}`, patchesOnly: true, preId };
}
