import type { Option, OptionSpec } from "./spec.ts";

/** Help text of a list of options, one paragraph each, for `-help`. Defaults are the built-in ones; secrets are never shown. */
export function optionsHelp(spec: OptionSpec): string {
  return spec
    .map((option) => {
      const notes = [
        option.env === undefined ? undefined : `env ${option.env}`,
        option.required === true ? "required" : undefined,
        shownDefault(option) === "" ? undefined : `default ${shownDefault(option)}`,
        option.oneOf === undefined ? undefined : `one of ${option.oneOf.join(", ")}`,
      ].filter((note) => note !== undefined);
      const type = option.type === "bool" ? "" : ` ${option.type}`;
      return `  -${option.flag}${type}\n      ${option.help}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
    })
    .join("\n");
}

/** The options as a markdown table, for a README. */
export function optionsMarkdown(spec: OptionSpec): string {
  const rows = spec.map((option) =>
    [
      `\`-${option.flag}\``,
      option.env === undefined ? "" : `\`${option.env}\``,
      option.type,
      shownDefault(option) === "" ? "" : `\`${shownDefault(option)}\``,
      [option.required === true ? "required" : "", option.secret === true ? "secret" : ""]
        .filter(Boolean)
        .join(", "),
      option.help,
    ]
      .map((cell) => cell.replaceAll("|", "\\|"))
      .join(" | "),
  );
  return ["flag | env | type | default | | meaning", "---|---|---|---|---|---", ...rows]
    .map((row) => `| ${row} |`)
    .join("\n");
}

/** The options as plain data, for `-o json`; a uint64 default becomes text. */
export function optionsJson(spec: OptionSpec): readonly Record<string, unknown>[] {
  return spec.map(({ default: preset, ...option }) => ({
    ...option,
    ...(preset === undefined || option.secret === true
      ? {}
      : { default: typeof preset === "bigint" ? preset.toString() : preset }),
  }));
}

/** Default as text in the form a flag takes; empty when there is none or it is a secret. */
export function shownDefault({ default: preset, secret }: Option): string {
  if (preset === undefined || secret === true) return "";
  if (Array.isArray(preset)) return preset.join(",");
  if (typeof preset === "object")
    return Object.entries(preset)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
  return String(preset);
}
