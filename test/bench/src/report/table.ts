import type { Row, SectionResult } from "./row.ts";

/** Columns of every table; those of the programs beside come in between. */
const before = ["", "unit", "ours", "comparator", "ratio"] as const;
const after = ["target", ""] as const;

/** The results as a Markdown document of one table for each section. */
export function renderResults(results: readonly SectionResult[]): string {
  return results.map(renderSection).join("\n\n");
}

/**
 * Every row that has a target, of all sections, as one table; empty when there is none. Rows with programs beside are left
 * out: they measure again, for those programs, what another section judges.
 */
export function renderTargets(results: readonly SectionResult[]): string {
  const rows = results.flatMap((result) => ("rows" in result ? result.rows : []));
  const measured = rows.filter(({ target, beside }) => target !== undefined && beside === undefined);
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
  const others = [...new Set(rows.flatMap(({ beside = [] }) => beside.map(({ name }) => name)))];
  const columns = [...before, ...others.flatMap((name) => [name, "ratio"]), ...after];
  const isNumeric = (column: number): boolean => column >= 2 && column < columns.length - after.length;
  const cells = [columns, ...rows.map((row) => cellsOf(row, others))];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (isNumeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    isNumeric(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const [head = [], ...body] = cells;
  return [line(head), line(rule), ...body.map(line)].join("\n");
}

function cellsOf(row: Row, others: readonly string[]): string[] {
  const { name, unit, ours, comparator, ratio, target, note, beside = [] } = row;
  return [
    name,
    unit,
    format(ours),
    format(comparator),
    format(ratio),
    ...others.flatMap((other) => {
      const found = beside.find((each) => each.name === other);
      return [format(found?.value), format(found?.ratio)];
    }),
    target?.text ?? "",
    [verdict(row), note ?? ""].filter(Boolean).join("; "),
  ];
}

/** Whether the target is met; where others stand beside, by whom. */
function verdict({ target, beside }: Row): string {
  if (target === undefined) return "";
  if (beside === undefined) return target.met ? "met" : "MISSED";
  const all = [{ name: "ours", met: target.met }, ...beside];
  const reached = all.filter(({ met }) => met);
  if (reached.length === 0) return "MISSED by all";
  return `met by ${reached.length === all.length ? "all" : reached.map(({ name }) => name).join(", ")}`;
}

/** Three digits, and none behind the point where they mean nothing. */
function format(value: number | undefined): string {
  if (value === undefined) return "";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
