/** Writes the tables of options and permissions into README.md, between their markers. */
import { readFile, writeFile } from "node:fs/promises";
import { optionsMarkdown } from "@peerpods/cloud-providers";
import { ibmcloudOptions } from "../src/options.ts";
import { permissions } from "../src/permissions.ts";

const file = new URL("../README.md", import.meta.url);

const rows = Object.entries(permissions).map(
  ([call, { actions, role }]) =>
    `| \`${call}\` | ${actions.length === 0 ? "none" : actions.map((action) => `\`${action}\``).join(", ")} | ${role} |`,
);
const sections = {
  options: optionsMarkdown(ibmcloudOptions),
  permissions: ["| call | IAM actions | role |", "|---|---|---|", ...rows].join("\n"),
};

let text = await readFile(file, "utf8");
for (const [name, section] of Object.entries(sections)) {
  const markers = new RegExp(`(<!-- ${name}: begin -->\n)[\\s\\S]*?(<!-- ${name}: end -->)`);
  if (!markers.test(text)) throw new Error(`README.md has no markers for the table of ${name}`);
  text = text.replace(markers, (_all, begin: string, end: string) => `${begin}\n${section}\n\n${end}`);
}
await writeFile(file, text);
