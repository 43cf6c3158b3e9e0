/**
 * What of an API report breaks who uses or implements the package: a line that is gone or reads otherwise, and a member that
 * an interface or class has more and that is not optional.
 *
 * Reports are compared line by line under the declaration that they stand in, so a change that only widens (a parameter more that
 * may be left out, a word more in a union) counts as breaking too: an author who is sure of it words the change
 * file so.
 * @returns the lines, with `-` or `+` before them; empty when nothing breaks
 */
export function compareReports(before: string, after: string): readonly string[] {
  const old = declarationsOf(before);
  const now = declarationsOf(after);
  const broken: string[] = [];
  for (const [name, lines] of old) {
    const there = now.get(name);
    if (there === undefined) {
      broken.push(`- ${name}`);
      continue;
    }
    for (const line of lines) if (!there.includes(line)) broken.push(`- ${name}: ${line}`);
    for (const line of there)
      if (!lines.includes(line) && isRequiredMember(line)) broken.push(`+ ${name}: ${line}`);
  }
  return broken;
}

/** The declarations of a report by their first line, each with the lines of its body. */
function declarationsOf(report: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const raw of report.split("\n")) {
    const line = raw.trim();
    if (
      line === "" ||
      line === "}" ||
      line.startsWith("//") ||
      line.startsWith("```") ||
      line.startsWith("#")
    )
      continue;
    if (/^(export|import|declare) /.test(raw)) found.set(line, (current = []));
    else current?.push(line);
  }
  return found;
}

function isRequiredMember(line: string): boolean {
  const member = /^(?:readonly )?(?:static )?[\w$"[\].-]+(\??)[:(<]/.exec(line);
  return member !== null && member[1] !== "?";
}
