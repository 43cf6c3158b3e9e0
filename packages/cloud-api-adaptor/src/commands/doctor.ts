import { loadOptions, loadProvider, OptionsError } from "@peerpods/cloud-providers";
import type { CloudProvider, Finding, OptionValues } from "@peerpods/cloud-providers";
import { optionsWith, secretTexts } from "../daemon/all-options.ts";
import { createScrubber } from "../daemon/scrub.ts";
import { toSettings } from "../daemon/settings.ts";
import type { DaemonSettings } from "../daemon/settings.ts";
import { CommandError } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { runChecks, type AreaReport } from "./doctor/check.ts";
import { nodeChecks } from "./doctor/node-checks.ts";
import { providerCheck } from "./doctor/provider.ts";
import { harmless, toJson } from "./output.ts";
import { providerProblem } from "./provider-problem.ts";

/**
 * `peerpods doctor <provider>`: what is missing on this node before anything runs, each with its remedy. Takes the daemon's
 * flags and environment. Changes nothing.
 * @returns 1 when something is wrong, 0 when nothing is or there are only warnings.
 */
export async function doctor(
  context: CommandContext,
  { provider, argv }: { readonly provider: string; readonly argv: readonly string[] },
): Promise<number> {
  const { env } = context.providers;
  const cloudProvider = await loadProvider(provider, context.providers).catch(providerProblem);
  const scrub = createScrubber(secretTexts(optionsWith(cloudProvider), { argv, env }));
  const { settings, config } = loadSettings(cloudProvider, { argv, env });
  const areas = await runChecks([...nodeChecks, providerCheck(cloudProvider, { config, env })], {
    host: await context.host(),
    settings,
    signal: context.signal,
  });
  const errors = count(areas, "error");
  const report = { provider, ok: errors === 0, areas };
  context.stdout.write(scrub(context.json ? `${toJson(report)}\n` : doctorText(areas)));
  return errors === 0 ? 0 : 1;
}

function loadSettings(
  cloudProvider: CloudProvider,
  sources: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): { settings: DaemonSettings; config: OptionValues } {
  try {
    const loaded = loadOptions(optionsWith(cloudProvider), sources);
    if ("help" in loaded) throw new OptionsError(["peerpods options shows the options of a provider"]);
    const inKubernetes = (sources.env["KUBERNETES_SERVICE_HOST"] ?? "") !== "";
    return {
      settings: toSettings(loaded.values, { inKubernetes }),
      config: Object.fromEntries(cloudProvider.options.map(({ flag }) => [flag, loaded.values[flag] ?? ""])),
    };
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    throw new CommandError(`the daemon would not start:\n  ${error.problems.join("\n  ")}`, {
      remedy: `give them as flags or environment; peerpods options ${cloudProvider.name} --daemon lists all`,
      cause: error,
    });
  }
}

/** The report as a person reads it: a line an area, below it what was found there. */
export function doctorText(areas: readonly AreaReport[]): string {
  const lines = areas.flatMap(({ area, findings }) => [
    `${worst(findings).padEnd(8)} ${area}`,
    ...findings.flatMap(({ severity, subject, message, remedy }) => [
      `         ${severity}: ${subject}: ${indented(message)}`,
      ...(remedy === "" ? [] : [`           remedy: ${indented(remedy)}`]),
    ]),
  ]);
  const [errors, warnings] = [count(areas, "error"), count(areas, "warning")];
  return `${lines.join("\n")}\n\n${errors} error${errors === 1 ? "" : "s"}, ${warnings} warning${warnings === 1 ? "" : "s"}\n`;
}

function indented(text: string): string {
  return harmless(text).trim().replaceAll("\n", "\n           ");
}

function worst(findings: readonly Finding[]): string {
  if (findings.some(({ severity }) => severity === "error")) return "ERROR";
  return findings.some(({ severity }) => severity === "warning") ? "warning" : "ok";
}

function count(areas: readonly AreaReport[], severity: Finding["severity"]): number {
  return areas.flatMap(({ findings }) => findings).filter((found) => found.severity === severity).length;
}
