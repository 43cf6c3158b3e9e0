/**
 * Puts the conformance reports of `docs/conformance` side by side into `docs/providers.md`.
 *
 * Usage: node -C @peerpods/source scripts/provider-matrix.ts
 *
 * The report of the fake cloud is made here; those of the other providers are saved by their system tests:
 * PEERPODS_CONFORMANCE_DIR=$PWD/docs/conformance pnpm vitest run --project system provider
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

/** Reports that are committed, the simplest provider first. */
export async function committedReports(): Promise<readonly ConformanceReport[]> {
  const directory = join(docs, "conformance");
  const order = ["fake", "local", "libvirt", "aws"];
  const names = (await readdir(directory)).map((file) => file.replace(/\.json$/, ""));
  const sorted = names.toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
  return await Promise.all(
    sorted.map(
      async (name) =>
        JSON.parse(await readFile(join(directory, `${name}.json`), "utf8")) as ConformanceReport,
    ),
  );
}

/** What stands between the markers: a summary, and the matrix. */
export function matrixSection(reports: readonly ConformanceReport[]): string {
  const rows = reports.map(({ provider, contractVersion, abilities, results, left }) => {
    const counts = (["passed", "failed", "not_offered", "skipped"] as const).map(
      (wanted) => results.filter(({ status }) => status === wanted).length,
    );
    const offered = abilities.length === 0 ? "none" : abilities.join(", ");
    return `| ${provider} | ${contractVersion} | ${counts.join(" | ")} | ${left.length} | ${offered} |`;
  });
  return [
    "| provider | contract | passed | failed | not offered | skipped | left | abilities |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    conformanceMatrix(reports),
  ].join("\n");
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
