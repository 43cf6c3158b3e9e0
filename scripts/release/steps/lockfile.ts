import { output, type Place } from "../programs.ts";

/**
 * Brings the lockfile up to date with the manifests, and nothing else: a sibling whose exact version is that of the workspace
 * is linked, another comes from the registry.
 */
export async function updateLockfile(place: Place): Promise<void> {
  await output(place, "pnpm", ["install", "--lockfile-only", "--no-frozen-lockfile", "--prefer-offline"]);
}
