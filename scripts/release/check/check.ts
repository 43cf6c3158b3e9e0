import { ReleaseError } from "../errors.ts";
import { gatherFacts } from "../facts/facts.ts";
import { checkTagsOfRemote } from "../preflight.ts";
import type { Place } from "../programs.ts";
import { breakingChanges } from "./breaking-changes.ts";
import { contradictions } from "./contradictions.ts";
import { differentContracts } from "./different-contracts.ts";
import { laggingDependents } from "./lagging-dependents.ts";
import { missingChangeFiles } from "./missing-change-files.ts";
import { staleReleaseFiles } from "./stale-release-files.ts";

/** What speaks against releasing from this checkout, in words with the remedy; nothing when all is well. */
export async function checkRelease(
  root: Place,
  { registry, remote }: { readonly registry: string; readonly remote: string },
): Promise<readonly string[]> {
  const facts = await gatherFacts(root, registry);
  const found = await Promise.all([
    movedTags(root, remote),
    contradictions(root, facts),
    missingChangeFiles(root, facts),
    breakingChanges(root, facts),
    staleReleaseFiles(facts),
  ]);
  return [...found.flat(), ...differentContracts(facts), ...laggingDependents(facts)];
}

async function movedTags(root: Place, remote: string): Promise<readonly string[]> {
  try {
    await checkTagsOfRemote(root, remote);
    return [];
  } catch (error) {
    if (error instanceof ReleaseError && error.code === "contradiction")
      return [`${error.message}; ${error.remedy}`];
    throw error;
  }
}
