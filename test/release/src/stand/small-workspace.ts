import type { Checkout } from "./repository.ts";

/** The release chain and two packages beside it, so small that a release of all takes seconds. */
const packages: Record<string, { readonly dependencies?: object; readonly peerDependencies?: object }> = {
  "cloud-providers": {},
  ttrpc: {},
  "peerpod-ctrl": { dependencies: { "@peerpods/cloud-providers": "0.1.0" } },
  "provider-x": { peerDependencies: { "@peerpods/cloud-providers": "workspace:^" } },
  "cloud-api-adaptor": {
    dependencies: {
      "@peerpods/cloud-providers": "0.1.0",
      "@peerpods/peerpod-ctrl": "0.1.0",
      "@peerpods/ttrpc": "workspace:^",
    },
  },
};

export const packageNames = Object.keys(packages).map((name) => `@peerpods/${name}`);

/** Writes the workspace into an empty checkout, each package with its first change file, and pushes it. */
export async function writeSmallWorkspace(checkout: Checkout): Promise<void> {
  await checkout.write("package.json", json({ name: "small", version: "0.0.0", private: true }));
  await checkout.write(
    "pnpm-workspace.yaml",
    `packages:\n  - packages/*\nlinkWorkspacePackages: true\npreferWorkspacePackages: true\nminimumReleaseAge: 1440\nminimumReleaseAgeExclude:\n  - "@peerpods/*"\n`,
  );
  await checkout.write(".gitignore", "node_modules/\ndist/\n");
  await checkout.write(
    ".changeset/config.json",
    json({ changelog: "@changesets/cli/changelog", access: "public", baseBranch: "main" }),
  );
  for (const [name, manifest] of Object.entries(packages)) {
    await checkout.write(
      `packages/${name}/package.json`,
      json({
        name: `@peerpods/${name}`,
        version: "0.1.0",
        description: "for tests",
        license: "Apache-2.0",
        files: ["dist"],
        type: "module",
        scripts: { build: "mkdir -p dist && cp src/* dist" },
        ...manifest,
      }),
    );
    await checkout.write(`packages/${name}/src/index.js`, `export const name = "${name}";\n`);
    await writeChange(checkout, `${name}-first`, { [name]: "minor" });
  }
  await checkout.commit("Begin");
  await checkout.git("push", "--quiet", "origin", "main");
}

/** Writes a change file. Packages by their short names. */
export async function writeChange(
  checkout: Checkout,
  id: string,
  bumps: Readonly<Record<string, string>>,
): Promise<void> {
  const head = Object.entries(bumps).map(([name, bump]) => `"@peerpods/${name}": ${bump}\n`);
  await checkout.write(`.changeset/${id}.md`, `---\n${head.join("")}---\n\nChange ${id}\n`);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
