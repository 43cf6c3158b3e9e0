import type { Step } from "./plan.ts";

/** The plan for people: a row for each package, with the version it takes and why. */
export function describePlan(steps: readonly Step[]): string {
  if (steps.length === 0) return "nothing to release\n";
  const rows = steps.flatMap((step) => row(step, steps));
  const numbered = rows.map((cells, index) => [String(index + 1), ...cells]);
  const table = [["", "package", "from", "to", "why"], ...numbered];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function row(step: Step, steps: readonly Step[]): readonly (readonly string[])[] {
  const { name, version: current, tags } = step.package;
  switch (step.kind) {
    case "take":
      // Told with the release that follows.
      return [];
    case "tag":
      return [[name, tags.length === 0 ? "-" : current, step.version, step.reasons.join("; ")]];
    case "publish": {
      const isPartOfRelease = steps.some(
        (other) => other.kind === "tag" && other.package.name === name && other.version === step.version,
      );
      return isPartOfRelease ? [] : [[name, current, step.version, "tagged, not in the registry yet"]];
    }
    default:
      return step satisfies never;
  }
}
