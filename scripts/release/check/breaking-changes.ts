import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { largestBump, type Bump } from "../facts/change-files.ts";
import type { Facts, PackageFacts } from "../facts/facts.ts";
import { readFilesAt } from "../facts/files-at.ts";
import { git, type Place } from "../programs.ts";
import { compareReports } from "./compare-reports.ts";

/** The package whose surface others are written against. */
const CONTRACT = "@peerpods/cloud-providers";

/** Changes of the contract's API reports since its last tag that break who uses it, without the step that says so. */
export async function breakingChanges(root: Place, { packages }: Facts): Promise<readonly string[]> {
  const contract = packages.find(({ name }) => name === CONTRACT);
  if (contract?.lastTag === undefined) return [];
  const needed = breakingBump(contract.lastTag.version);
  if (satisfies(largestBump(contract.changes), needed)) return [];
  const broken = await brokenLines(root, contract, contract.lastTag.commit);
  if (broken.length === 0) return [];
  return [
    `${CONTRACT} breaks its users since ${contract.lastTag.name}, which asks for a ${needed} change file:\n` +
      broken
        .slice(0, 10)
        .map((line) => `    ${line}`)
        .join("\n"),
  ];
}

/** Before 1.0.0 the second number is the one that may break. */
function breakingBump(version: string): Bump {
  return semver.major(version) === 0 ? "minor" : "major";
}

function satisfies(bump: Bump | undefined, needed: Bump): boolean {
  const steps = ["patch", "minor", "major"];
  return bump !== undefined && steps.indexOf(bump) >= steps.indexOf(needed);
}

async function brokenLines(
  root: Place,
  { path, dir }: PackageFacts,
  commit: string,
): Promise<readonly string[]> {
  const names = await git(root, "ls-tree", "--name-only", commit, `${path}/etc/`);
  const reports = names.split("\n").filter((name) => name.endsWith(".api.md"));
  const before = await readFilesAt(
    root,
    reports.map((name) => ({ commit, path: name })),
  );
  const there = new Set(await readdir(join(dir, "etc")).catch(() => []));
  const broken = await Promise.all(
    reports.map(async (name, index) => {
      const file = name.split("/").pop() ?? name;
      const now = there.has(file) ? await readFile(join(dir, "etc", file), "utf8") : "";
      return compareReports(before[index] ?? "", now);
    }),
  );
  return broken.flat();
}
