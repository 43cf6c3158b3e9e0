/**
 * Puts the conformance reports of `docs/conformance` side by side into `docs/providers.md`.
 *
 * Usage: node -C @peerpods/source scripts/provider-matrix.ts
 *
 * The report of the fake cloud is made here; those of the other providers are saved by the conformance test of each:
 * PEERPODS_CONFORMANCE_DIR=$PWD/docs/conformance pnpm vitest run src/conformance.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  conformanceMatrix,
  runConformance,
  saveReportTo,
  type ConformanceReport,
} from "../packages/cloud-providers/src/conformance/index.ts";
import { createFakeTarget } from "../packages/cloud-providers/src/testing/index.ts";

const docs = join(import.meta.dirname, "../docs");

/** Between these lines of `docs/providers.md` stands what is generated. */
export const markers = ["<!-- matrix -->", "<!-- /matrix -->"] as const;

/** Reports that are committed: the fake cloud's, then the providers' by name. */
export async function committedReports(): Promise<readonly ConformanceReport[]> {
  const directory = join(docs, "conformance");
  const names = (await readdir(directory)).map((file) => file.replace(/\.json$/, ""));
  const rank = (name: string) => `${name === "fake" ? 0 : 1} ${name}`;
  const sorted = names.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return await Promise.all(
    sorted.map(
      async (name) =>
        JSON.parse(await readFile(join(directory, `${name}.json`), "utf8")) as ConformanceReport,
    ),
  );
}

/** What stands between the markers: a summary, what the providers ran against, how much they ask of it, and the matrix. */
export function matrixSection(reports: readonly ConformanceReport[]): string {
  return [
    table(
      ["provider", "contract", "passed", "failed", "not offered", "skipped", "left", "abilities"],
      reports.map(summaryRow),
    ),
    "### Real, and stood in for",
    table(["provider", "runs against", "real in it", "stood in for"], reports.map(environmentRow)),
    "### API calls for one creation and its deletion",
    table(
      ["provider", "calls"],
      reports.map((report) => [linked(report), noteOf(report, "call-count")]),
    ),
    "### Every rule",
    conformanceMatrix(reports),
  ].join("\n\n");
}

function summaryRow(report: ConformanceReport): readonly string[] {
  const { contractVersion, abilities, results, left } = report;
  const counts = (["passed", "failed", "not_offered", "skipped"] as const).map(
    (wanted) => `${results.filter(({ status }) => status === wanted).length}`,
  );
  const offered = abilities.length === 0 ? "none" : abilities.join(", ");
  return [linked(report), contractVersion, ...counts, `${left.length}`, offered];
}

function environmentRow(report: ConformanceReport): readonly string[] {
  const { against = "", real = "", stoodIn = "" } = report.environment ?? {};
  return [linked(report), against, real, stoodIn];
}

/** What a rule measured, or why it could not be tried. */
function noteOf({ results }: ConformanceReport, rule: string): string {
  const { note, reason = "" } = results.find(({ id }) => id === rule) ?? {};
  return note ?? reason;
}

/** The provider's name, linked to its README. The fake cloud is part of the contract's package. */
function linked({ provider }: ConformanceReport): string {
  return provider === "fake" ? provider : `[${provider}](../packages/provider-${provider}/README.md)`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The document with its generated part replaced. @throws Error when a marker is missing. */
export function withMatrix(document: string, section: string): string {
  const [begin, end] = markers.map((marker) => document.indexOf(marker));
  if (begin === undefined || end === undefined || begin < 0 || end < begin)
    throw new Error(`docs/providers.md lacks ${markers.join(" or ")}`);
  return `${document.slice(0, begin)}${markers[0]}\n\n${section}\n${document.slice(end)}`;
}

if (import.meta.main) {
  const { target } = createFakeTarget();
  await saveReportTo(join(docs, "conformance"))(await runConformance(target));
  const path = join(docs, "providers.md");
  await writeFile(path, withMatrix(await readFile(path, "utf8"), matrixSection(await committedReports())));
}
