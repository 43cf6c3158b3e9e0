import * as z from "zod";
import { packageVersion as version } from "../../release.ts";
import { groups } from "../objects/index.ts";
import { valuesSchema } from "../values.ts";
import { templateText } from "./template-text.ts";

const NOTICE = 'Generated from src/install by "pnpm generate"; do not edit.';

/** The generated files of the chart, by their path in it. */
export function chartFiles(): Readonly<Record<string, string>> {
  const templates = Object.entries(groups).map(([name, parts]) => [
    `templates/${name}.yaml`,
    `{{- /* ${NOTICE} */ -}}\n${templateText(parts)}`,
  ]);
  return {
    "Chart.yaml": chartYaml(),
    "values.schema.json": `${JSON.stringify(z.toJSONSchema(valuesSchema, { target: "draft-7" }), undefined, 2)}\n`,
    ...Object.fromEntries(templates),
  };
}

function chartYaml(): string {
  return [
    `# ${NOTICE}`,
    "apiVersion: v2",
    "name: peerpods",
    "description: Pods whose sandbox is a VM of its own in a cloud",
    "type: application",
    `version: ${version}`,
    `appVersion: ${JSON.stringify(version)}`,
    "",
  ].join("\n");
}
