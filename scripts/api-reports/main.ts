/**
 * Reports of what the published packages offer to who imports them, in `packages/<name>/etc/*.api.md`, so that a change of it is
 * seen in review. They are written from the built declarations: `pnpm api` builds and writes, `pnpm check` compares.
 *
 * Usage: node scripts/api-reports/main.ts [--check]     --check writes nothing and fails when a report is not current
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readWorkspace } from "../release/facts/workspace.ts";
import { entriesOf } from "./entries.ts";
import { writeReport } from "./write-report.ts";

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const one of await readWorkspace(process.cwd())) {
  const entries = await entriesOf(one);
  for (const entry of entries)
    if (!(await writeReport(entry, { check }))) stale.push(join(one.path, "etc", entry.report));
  const there = await readdir(join(one.dir, "etc")).catch(() => []);
  for (const file of there.filter((name) => !entries.some(({ report }) => report === name))) {
    stale.push(join(one.path, "etc", file));
    if (!check) await rm(join(one.dir, "etc", file));
  }
}
if (stale.length > 0)
  process.stdout.write(
    `${check ? "not current: " : "written: "}${stale.join(check ? "\nnot current: " : "\nwritten: ")}\n`,
  );
if (check && stale.length > 0) {
  process.stderr.write("run pnpm api, and commit what it writes\n");
  process.exitCode = 1;
}
