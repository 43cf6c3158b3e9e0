/**
 * The arrows between packages, as docs/architecture.md draws them. pnpm lets a package import only what its
 * package.json names, so it is enough to hold the dependencies against this table. Tests may reach further
 * (devDependencies are not looked at).
 */
import { readFile, readdir } from "node:fs/promises";

const arrows: Record<string, readonly string[]> = {
  ttrpc: [],
  "kata-protocols": [],
  "podvm-contract": [],
  "cloud-providers": [],
  "pod-network": ["podvm-contract"],
  podvm: ["ttrpc", "kata-protocols", "podvm-contract", "pod-network"],
  "dev-agent": ["ttrpc", "kata-protocols"],
  "peerpod-ctrl": ["cloud-providers"],
  "create-provider": ["cloud-providers"],
  "cloud-api-adaptor": [
    "peerpod-ctrl",
    "cloud-providers",
    "ttrpc",
    "kata-protocols",
    "podvm-contract",
    "pod-network",
    "provider-libvirt",
    "provider-local",
  ],
  // The guest programs are taken as built files, by path: nothing of them may be imported.
  "provider-local": ["cloud-providers", "podvm", "dev-agent"],
};
const filesOnly: Record<string, readonly string[]> = { "provider-local": ["podvm", "dev-agent"] };
const anyProvider: readonly string[] = ["cloud-providers"];

const wrong: string[] = [];
for (const name of await readdir("packages")) {
  const allowed = arrows[name] ?? (name.startsWith("provider-") ? anyProvider : undefined);
  if (allowed === undefined) {
    wrong.push(`${name} is not in the table of scripts/check-arrows.ts`);
    continue;
  }
  const manifest = JSON.parse(await readFile(`packages/${name}/package.json`, "utf8")) as Record<
    "dependencies" | "peerDependencies",
    Record<string, string> | undefined
  >;
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const sibling = dependency.replace("@peerpods/", "");
    if (sibling !== dependency && !allowed.includes(sibling))
      wrong.push(`${name} must not depend on ${sibling}`);
  }
  for (const file of await readdir(`packages/${name}/src`, { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const text = await readFile(`packages/${name}/src/${file}`, "utf8");
    for (const sibling of filesOnly[name] ?? [])
      if (new RegExp(`from "@peerpods/${sibling}["/]`).test(text))
        wrong.push(`${name}/src/${file} imports ${sibling}`);
  }
}

for (const line of wrong) process.stderr.write(`${line}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
