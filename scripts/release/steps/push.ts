import { ReleaseError } from "../errors.ts";
import { git } from "../programs.ts";
import type { Scratch } from "./scratch.ts";

/** Commits everything in the scratch clone. */
export async function commitAll(scratch: Scratch, message: string): Promise<void> {
  await git(scratch, "add", "--all");
  await git(scratch, "commit", "--quiet", "--no-verify", "-m", message);
}

/**
 * Pushes the branch and a tag in one transaction: both are there or neither, and of two releases one.
 * @throws ReleaseError `lost_race`
 */
export async function push(scratch: Scratch, tag?: string): Promise<void> {
  const refs = [`HEAD:refs/heads/${scratch.branch}`, ...(tag === undefined ? [] : [`refs/tags/${tag}`])];
  try {
    await git(scratch, "push", "--quiet", "--atomic", "origin", ...refs);
  } catch (error) {
    scratch.signal.throwIfAborted();
    if (!/rejected|non-fast-forward|cannot lock ref|already exists/.test(String(error))) throw error;
    throw new ReleaseError("lost_race", `somebody else pushed to ${scratch.branch} meanwhile`, {
      remedy: "run the release again; it looks anew at what is to be done",
      cause: error,
    });
  }
}
