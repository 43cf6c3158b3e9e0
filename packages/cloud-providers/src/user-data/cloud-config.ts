import { ProviderError } from "../errors.ts";

/** A file that the guest writes before its programs start. Empty or absent keys are left out of the document. */
export interface CloudConfigFile {
  readonly path: string;
  readonly owner?: string;
  /** Octal text such as `0644`. */
  readonly permissions?: string;
  readonly encoding?: string;
  readonly append?: string;
  readonly content: string;
}

const scalarKeys = ["path", "owner", "permissions", "encoding", "append"] as const;
const HEADER = "#cloud-config\n";

/**
 * The user-data document, byte for byte as the reference writes it, so that either guest reads it.
 *
 * Parsed again, a content ends in exactly one newline, whatever it ended in here.
 * @throws ProviderError `invalid_request` for what unquoted YAML would change or refuse: a scalar with a newline,
 * outer blanks or YAML's own signs, a content that starts with a blank or holds carriage returns or control characters.
 */
export function createCloudConfig(files: readonly CloudConfigFile[]): string {
  if (files.length === 0) return HEADER;
  return `${HEADER}\nwrite_files:\n${files.map(fileEntry).join("")}`;
}

function fileEntry(file: CloudConfigFile): string {
  const lines: string[] = [];
  for (const key of scalarKeys) {
    const value = file[key];
    if (key !== "path" && (value === undefined || value === "")) continue;
    checkScalar(key, value ?? "");
    lines.push(`${lines.length === 0 ? "  - " : "    "}${key}: ${value}\n`);
  }
  if (file.content !== "") lines.push("    content: |\n", ...contentLines(file));
  return lines.join("");
}

/** Plain words, paths, modes and `user:group`; what a YAML reader takes as it stands. */
function checkScalar(key: string, value: string): void {
  const plain = /^[\p{L}\p{N}/_.](?: ?[\p{L}\p{N}/_.:@+=,~-])*$/u.test(value);
  if (plain && !/:(?: |$)/.test(value)) return;
  throw new ProviderError(
    "invalid_request",
    `cloud-config: ${key} ${JSON.stringify(value.slice(0, 80))} cannot stand unquoted in YAML`,
  );
}

function contentLines({ path, content }: CloudConfigFile): string[] {
  checkContent(path, content);
  const lines = content.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `      ${line}\n`);
}

/** A reader takes the indentation from the first line with text, so no blank may come before that text. */
function checkContent(path: string, content: string): void {
  if (/^(?:\n|[ \t]+\n)*[ ]/.test(content) || /^\n*\t+(?:\n|$)/.test(content))
    throw new ProviderError("invalid_request", `cloud-config: the content of ${path} starts with blanks`);
  // oxlint-disable-next-line no-control-regex -- control characters are the very thing that is looked for
  const foreign =
    /[^\t\n\u{20}-\u{7e}\u{a0}-\u{2027}\u{202a}-\u{d7ff}\u{e000}-\u{fefe}\u{ff00}-\u{fffd}\u{10000}-\u{10ffff}]/u;
  const at = content.search(foreign);
  if (at < 0) return;
  const code = content.codePointAt(at)?.toString(16).padStart(4, "0");
  throw new ProviderError(
    "invalid_request",
    `cloud-config: the content of ${path} holds U+${code} at offset ${at}, which YAML would not keep`,
  );
}
