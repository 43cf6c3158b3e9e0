import type { Row, SectionResult } from "./row.ts";

const columns = ["", "unit", "ours", "comparator", "ratio", "target", ""] as const;

/** The results as a Markdown document of one table for each section. */
export function renderResults(results: readonly SectionResult[]): string {
  return results.map(renderSection).join("\n\n");
}

/** Every row that has a target, of all sections, as one table; empty when there is none. */
export function renderTargets(results: readonly SectionResult[]): string {
  const rows = results.flatMap((result) => ("rows" in result ? result.rows : []));
  const measured = rows.filter(({ target }) => target !== undefined);
  if (measured.length === 0) return "";
  const met = measured.filter(({ target }) => target?.met).length;
  return `### targets: ${met} of ${measured.length} met\n\n${renderRows(measured)}`;
}

function renderSection(result: SectionResult): string {
  const heading = `### ${result.name}: ${result.title}`;
  if ("skipped" in result) return `${heading}\n\nskipped: ${result.skipped}`;
  return `${heading}\n\n${renderRows(result.rows)}`;
}

function renderRows(rows: readonly Row[]): string {
  const cells = [[...columns], ...rows.map(cellsOf)];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (isNumeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    isNumeric(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const [head = [], ...body] = cells;
  return [line(head), line(rule), ...body.map(line)].join("\n");
}

function isNumeric(column: number): boolean {
  return column >= 2 && column <= 4;
}

function cellsOf({ name, unit, ours, comparator, ratio, target, note }: Row): string[] {
  return [
    name,
    unit,
    format(ours),
    format(comparator),
    format(ratio),
    target?.text ?? "",
    [target === undefined ? "" : target.met ? "met" : "MISSED", note ?? ""].filter(Boolean).join("; "),
  ];
}

/** Three digits, and none behind the point where they mean nothing. */
function format(value: number | undefined): string {
  if (value === undefined) return "";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
