import type { PackageInside } from "./inside.ts";

/** The licences of the packages of others that are in a bundle, each text once with the packages that it is for. */
export function licenceText(inside: readonly PackageInside[]): string {
  const others = inside.filter(({ name }) => !name.startsWith("@peerpods/"));
  const byText = new Map<string, string[]>();
  for (const { name, version, license, texts } of others) {
    const text =
      texts.map((one) => one.replaceAll("\r\n", "\n").trim()).join("\n\n") || `License: ${license}`;
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const rule = "-".repeat(78);
  return [...byText].map(([text, names]) => `${names.join("\n")}\n\n${text}\n\n${rule}\n`).join("\n");
}
