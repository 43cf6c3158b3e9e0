/** Writes the tables of options and of permissions into README.md, between their markers, and the IAM policy. */
import { readFile, writeFile } from "node:fs/promises";
import { optionsMarkdown } from "@peerpods/cloud-providers";
import { awsOptions } from "../src/options.ts";
import { permissionSets, permissionsMarkdown, permissionsPolicy } from "../src/permissions.ts";

const file = new URL("../README.md", import.meta.url);
const tables = { options: optionsMarkdown(awsOptions), permissions: permissionsMarkdown(permissionSets) };
let text = await readFile(file, "utf8");
for (const [name, table] of Object.entries(tables)) {
  const markers = new RegExp(`(<!-- ${name}: begin -->\\n)[\\s\\S]*?(<!-- ${name}: end -->)`);
  if (!markers.test(text)) throw new Error(`README.md has no markers for the table of ${name}`);
  text = text.replace(markers, (_all, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);
}
await writeFile(file, text);

const policy = `${JSON.stringify(permissionsPolicy(permissionSets), undefined, 2)}\n`;
await writeFile(new URL("../deploy/iam-policy.json", import.meta.url), policy);
