import { ReleaseError } from "./errors.ts";
import { git, succeeds, type Place } from "./programs.ts";
import { readRemoteTags, readTags } from "./facts/tags.ts";

/** Where releases are pushed to. */
export interface Destination {
  readonly remote: string;
  readonly branch: string;
}

/** The branch that is checked out; empty for none. */
export async function currentBranch(root: Place): Promise<string> {
  return await git(root, "branch", "--show-current");
}

/**
 * A release takes what the remote has. What is only here would be left out in silence, so it is refused.
 * @throws ReleaseError `unclean`, `wrong_branch`, `contradiction` for a tag that is another one at the remote.
 */
export async function checkCheckout(root: Place, { remote, branch }: Destination): Promise<void> {
  const changed = await git(root, "status", "--porcelain");
  if (changed !== "")
    throw new ReleaseError("unclean", `there are changes that are not committed:\n${changed}`, {
      remedy: "commit them or put them away, e.g. with git stash",
    });
  const [line = ""] = (await git(root, "ls-remote", "--heads", remote, branch)).split("\n");
  const [head = ""] = line.split("\t");
  if (head === "")
    throw new ReleaseError("wrong_branch", `${remote} has no branch ${branch}`, {
      remedy: `git push ${remote} ${branch}`,
    });
  // A commit that the remote does not have cannot be in the history of one that only the remote has.
  const known = await succeeds(root, "git", ["cat-file", "-e", `${head}^{commit}`]);
  const upToDate = known
    ? await succeeds(root, "git", ["merge-base", "--is-ancestor", "HEAD", head])
    : await succeeds(root, "git", [
        "merge-base",
        "--is-ancestor",
        "HEAD",
        `refs/remotes/${remote}/${branch}`,
      ]);
  if (!upToDate)
    throw new ReleaseError("unclean", `${branch} has commits that ${remote} does not have`, {
      remedy: `git push ${remote} ${branch}, or git reset to ${remote}/${branch}`,
    });
  await checkTagsOfRemote(root, remote);
}

/** Without such a remote there is nothing to compare. @throws ReleaseError `contradiction` */
export async function checkTagsOfRemote(root: Place, remote: string): Promise<void> {
  const remotes = (await git(root, "remote")).split("\n");
  if (!remotes.includes(remote)) return;
  const theirs = await readRemoteTags(root, remote);
  for (const { name, commit } of await readTags(root)) {
    const there = theirs.get(name);
    if (there !== undefined && there !== commit)
      throw new ReleaseError(
        "contradiction",
        `the tag ${name} is ${commit.slice(0, 12)} here and ${there.slice(0, 12)} at ${remote}: one of them was moved`,
        {
          remedy:
            "find out which is published (npm view <package>@<version> gitHead) and restore the other; a tag never moves",
        },
      );
  }
}
