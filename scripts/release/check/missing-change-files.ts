import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Facts, PackageFacts } from "../facts/facts.ts";
import { readFilesAt } from "../facts/files-at.ts";
import { git, type Place } from "../programs.ts";

/** What is not published, or says nothing new by itself. */
const unpublished = [
  /\.test\.ts$/,
  /\/testing\//,
  /^(CHANGELOG|README)\.md$/,
  /tsconfig[^/]*\.json$/,
  /^etc\//,
  /^turbo\.json$/,
];

/** Packages that are others than at their last tag, or were never released, and no change file names them. */
export async function missingChangeFiles(root: Place, { packages }: Facts): Promise<readonly string[]> {
  const silent = packages.filter(({ changes }) => changes.length === 0);
  const found = await Promise.all(silent.map((one) => problemOf(root, one)));
  return found.flat();
}

async function problemOf(root: Place, one: PackageFacts): Promise<readonly string[]> {
  if (one.lastTag === undefined)
    return [`${one.name} was never released and has no change file: pnpm changeset, and say what it is`];
  const changed = await changedFiles(root, one, one.lastTag.commit);
  if (changed.length === 0) return [];
  return [
    `${one.name} changed since ${one.lastTag.name} (${changed.slice(0, 3).join(", ")}${changed.length > 3 ? ", …" : ""}) ` +
      `and has no change file: pnpm changeset; "none" where no user sees it`,
  ];
}

async function changedFiles(
  root: Place,
  { path, dir }: PackageFacts,
  commit: string,
): Promise<readonly string[]> {
  const names = await git(root, "diff", "--name-only", "--relative", commit, "--", path);
  const own = names
    .split("\n")
    .filter((name) => name !== "")
    .map((name) => name.slice(path.length + 1));
  const published = own.filter((name) => !unpublished.some((pattern) => pattern.test(name)));
  if (!published.includes("package.json")) return published;
  const [before = "{}"] = await readFilesAt(root, [{ commit, path: `${path}/package.json` }]);
  const now = await readFile(join(dir, "package.json"), "utf8");
  return users(before) === users(now) ? published.filter((name) => name !== "package.json") : published;
}

/** What of a package.json a user gets to feel. */
function users(manifest: string): string {
  const {
    devDependencies: _dev,
    scripts: _scripts,
    ...rest
  } = JSON.parse(manifest) as Record<string, unknown>;
  return JSON.stringify(rest);
}
