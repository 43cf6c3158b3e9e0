/** Why a release cannot go on. */
export type ReleaseErrorCode =
  /** The command line makes no sense. */
  | "usage"
  /** Uncommitted or unpushed work, which a release would leave out. */
  | "unclean"
  | "wrong_branch"
  /** A change file is missing, or says something that this branch does not allow. */
  | "change_files"
  /** Tags, versions and registry contradict each other; nothing may be guessed here. */
  | "contradiction"
  /** Somebody else pushed meanwhile. */
  | "lost_race"
  /** The registry refused, cannot be reached, or does not serve what it took. */
  | "registry"
  /** A program that is needed failed. */
  | "failed";

/** A release stopped; what is pushed and published stays, and the same command goes on from there. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;
  /** What a maintainer does about it. */
  readonly remedy: string;

  constructor(
    code: ReleaseErrorCode,
    message: string,
    { remedy, cause }: { readonly remedy: string; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.code = code;
    this.remedy = remedy;
  }
}
