import { shownDefault } from "./describe.ts";
import type { OptionSpec } from "./spec.ts";

/**
 * Helm values of a provider's options: what goes into the ConfigMap (`providerConfigs.<provider>`) and what into the Secret
 * (`providerSecrets.<provider>`). Required keys stand live, optional ones as comments with their default. Options
 * without an environment variable cannot be set through the chart and are left out.
 */
export function optionsHelmValues(provider: string, spec: OptionSpec): string {
  const settable = spec.filter((option) => option.env !== undefined);
  const block = (secret: boolean): string[] =>
    settable
      .filter((option) => (option.secret === true) === secret)
      .flatMap((option) => {
        // A JSON string is a YAML string as well, and a ConfigMap takes nothing but strings.
        const line = `${option.env}: ${JSON.stringify(shownDefault(option))}`;
        const help = option.help.replaceAll(/\s+/g, " ");
        return [`    # ${help}`, option.required === true ? `    ${line}` : `    # ${line}`];
      });
  const section = (name: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`${name}:`, `  ${provider}:`, ...lines];
  return [
    `provider: ${provider}`,
    ...section("providerConfigs", block(false)),
    ...section("providerSecrets", block(true)),
    "",
  ].join("\n");
}
