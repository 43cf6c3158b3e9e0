import { loadProvider, optionsHelmValues, optionsJson, optionsMarkdown } from "@peerpods/cloud-providers";
import type { OptionSpec } from "@peerpods/cloud-providers";
import { daemonOptions } from "../daemon/options.ts";
import type { CommandContext } from "./context.ts";
import { writeJson } from "./output.ts";
import { providerProblem } from "./provider-problem.ts";
import { table } from "./table.ts";

/** Forms in which options can be shown. */
export const optionFormats = ["table", "json", "markdown", "helm"] as const;
export type OptionFormat = (typeof optionFormats)[number];

/** `peerpods options <provider>`: what can be set, without connecting to anything. */
export async function options(
  context: CommandContext,
  { provider, output, daemon }: { provider: string; output: OptionFormat; daemon: boolean },
): Promise<void> {
  const { options: own } = await loadProvider(provider, context.providers).catch(providerProblem);
  const spec = daemon ? [...daemonOptions, ...own] : own;
  const { stdout } = context;
  switch (context.json ? "json" : output) {
    case "json":
      return writeJson(stdout, optionsJson(spec));
    case "markdown":
      return void stdout.write(`${optionsMarkdown(spec)}\n`);
    case "helm":
      return void stdout.write(optionsHelmValues(provider, spec));
    case "table":
      return void stdout.write(optionsTable(spec));
  }
}

function optionsTable(spec: OptionSpec): string {
  return table([
    ["FLAG", "ENVIRONMENT", "TYPE", "DEFAULT", "", "MEANING"],
    ...spec.map((option) => [
      `-${option.flag}`,
      option.env ?? "",
      option.type,
      option.secret === true ? "" : textOf(option.default),
      [option.required === true ? "required" : "", option.secret === true ? "secret" : ""]
        .filter((word) => word !== "")
        .join(", "),
      option.oneOf === undefined
        ? option.help
        : `${option.help} (${option.oneOf.filter(Boolean).join(", ")})`,
    ]),
  ]);
}

function textOf(preset: OptionSpec[number]["default"]): string {
  if (preset === undefined) return "";
  if (Array.isArray(preset)) return preset.join(",");
  if (typeof preset === "object")
    return Object.entries(preset)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
  return String(preset);
}
