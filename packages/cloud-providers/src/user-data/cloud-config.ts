/** One file that the guest writes at boot. Texts go into the document as they are. */
export interface CloudConfigFile {
  readonly path: string;
  readonly owner?: string;
  readonly permissions?: string;
  readonly encoding?: string;
  readonly append?: string;
  readonly content: string;
}

const attributes = ["owner", "permissions", "encoding", "append"] as const;

/**
 * The cloud-config document that pod VMs understand, byte for byte as existing guests expect it: literal blocks, no
 * quoting, one newline at the end. A content keeps its lines; its end is normalised to one newline by YAML itself.
 * @throws RangeError for a text that this unquoted form cannot carry: a path with a line break or a comment sign,
 * or a content whose first line begins with a blank (it would be taken for indentation).
 */
export function cloudConfig(files: readonly CloudConfigFile[]): string {
  if (files.length === 0) return "#cloud-config\n";
  return ["#cloud-config", "", "write_files:", ...files.flatMap(fileLines), ""].join("\n");
}

function fileLines(file: CloudConfigFile): string[] {
  const lines = [`  - path: ${plainScalar(file.path)}`];
  for (const name of attributes) {
    const value = file[name];
    if (value !== undefined && value !== "") lines.push(`    ${name}: ${plainScalar(value)}`);
  }
  if (file.content === "") return lines;
  if (/^[ \t]/.test(file.content))
    throw new RangeError(`the content of ${file.path} begins with a blank, which cloud-config cannot carry`);
  const content = file.content.endsWith("\n") ? file.content.slice(0, -1) : file.content;
  lines.push("    content: |", ...content.split("\n").map((line) => `      ${line}`));
  return lines;
}

function plainScalar(text: string): string {
  if (!/^[A-Za-z0-9/][A-Za-z0-9/._:+-]*$/.test(text) || text.endsWith(":"))
    throw new RangeError(`${JSON.stringify(text)} cannot stand unquoted in cloud-config`);
  return text;
}
