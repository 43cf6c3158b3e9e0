import type { AbilityName } from "../abilities.ts";
import type { TargetEnvironment } from "./target.ts";

/** `not_offered`: an ability that the provider does not declare. `skipped`: the environment cannot try it. */
export type RuleStatus = "passed" | "failed" | "not_offered" | "skipped";

export interface RuleResult {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly status: RuleStatus;
  /** Why, for every status but `passed`. */
  readonly reason?: string;
  /** What was measured on the way. */
  readonly note?: string;
  readonly durationMs: number;
}

/** What a run found out about a provider. Plain data; `JSON.stringify` is its JSON form. */
export interface ConformanceReport {
  readonly provider: string;
  readonly contractVersion: string;
  readonly abilities: readonly AbilityName[];
  /** What it was run against. */
  readonly environment?: TargetEnvironment;
  readonly results: readonly RuleResult[];
  /** What exists since the run and did not before. */
  readonly left: readonly string[];
}

/** Whether the provider keeps to the contract as far as it was tried, and nothing is left. */
export function conforms({ results, left }: ConformanceReport): boolean {
  return left.length === 0 && results.every(({ status }) => status !== "failed");
}

const signs: Readonly<Record<RuleStatus, string>> = {
  passed: "passed",
  failed: "**failed**",
  not_offered: "not offered",
  skipped: "skipped",
};

/** The report for people. */
export function reportMarkdown(report: ConformanceReport): string {
  const count = (wanted: RuleStatus) => report.results.filter(({ status }) => status === wanted).length;
  return [
    `# Conformance of provider ${report.provider}, contract ${report.contractVersion}`,
    "",
    `${count("passed")} passed, ${count("failed")} failed, ${count("not_offered")} not offered, ${count("skipped")} skipped. ` +
      `Abilities: ${report.abilities.length === 0 ? "none" : report.abilities.join(", ")}.`,
    ...(report.left.length === 0 ? [] : ["", `**Left behind: ${cell(report.left.join(", "))}**`]),
    "",
    "| rule | | requirement | source |",
    "|---|---|---|---|",
    ...report.results.map(
      ({ id, title, source, status, reason, note = reason }) =>
        `| \`${id}\` | ${signs[status]}${note === undefined ? "" : `: ${cell(note)}`} | ${cell(title)} | ${cell(source)} |`,
    ),
    "",
  ].join("\n");
}

/** Several providers side by side, a row for each rule. */
export function conformanceMatrix(reports: readonly ConformanceReport[]): string {
  const rules = new Map(reports.flatMap(({ results }) => results.map(({ id, title }) => [id, title])));
  const status = ({ results }: ConformanceReport, rule: string) => {
    const result = results.find(({ id }) => id === rule);
    return result === undefined ? "" : signs[result.status];
  };
  return [
    `| rule | requirement | ${reports.map(({ provider }) => provider).join(" | ")} |`,
    `|---|---|${reports.map(() => "---|").join("")}`,
    ...[...rules].map(
      ([id, title]) =>
        `| \`${id}\` | ${cell(title)} | ${reports.map((report) => status(report, id)).join(" | ")} |`,
    ),
    "",
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ");
}
