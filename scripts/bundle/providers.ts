import { dirname, join, relative } from "node:path";
import type { Plugin } from "esbuild";
import type { WorkspacePackage } from "../release/facts/workspace.ts";

/** A provider that can be put into a bundle. */
export interface BundledProvider {
  /** As it is chosen, e.g. `aws`: the package name behind `@peerpods/provider-`. */
  readonly name: string;
  /** Absolute path of its source. */
  readonly source: string;
}

const PREFIX = "@peerpods/provider-";

/**
 * The providers that a setting names, found by package name; all of the workspace for no setting.
 * @param setting e.g. `aws,libvirt`
 * @throws Error that lists the known ones
 */
export function chooseProviders(
  packages: readonly WorkspacePackage[],
  setting: string | undefined,
): readonly BundledProvider[] {
  const known = packages
    .filter(({ name }) => name.startsWith(PREFIX))
    .map(({ name, dir }) => ({ name: name.slice(PREFIX.length), source: join(dir, "src/index.ts") }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (setting === undefined) return known;
  const names = [...new Set(setting.split(",").map((name) => name.trim()))].filter((name) => name !== "");
  const unknown = names.filter((name) => !known.some((provider) => provider.name === name));
  if (unknown.length > 0 || names.length === 0)
    throw new Error(
      `${names.length === 0 ? "PROVIDERS names no provider" : `unknown provider ${unknown.join(", ")}`}; ` +
        `known are: ${known.map(({ name }) => name).join(", ")}`,
    );
  return known.filter(({ name }) => names.includes(name));
}

/** Puts the chosen providers in the place of each program's `builtin-providers.ts`. Each is initialised when it is first used. */
export function withProviders(providers: readonly BundledProvider[]): Plugin {
  return {
    name: "with-providers",
    setup(build) {
      build.onLoad({ filter: /\/src\/builtin-providers\.ts$/ }, ({ path }) => ({
        contents: builtinProviders(providers, dirname(path)),
        loader: "js",
        resolveDir: dirname(path),
      }));
    },
  };
}

/** The text of the module. Its imports count from its folder: a path of this machine would end up in source maps. */
function builtinProviders(providers: readonly BundledProvider[], folder: string): string {
  const lines = providers.map(
    ({ name, source }) =>
      `  addCloudProvider(registry, ${JSON.stringify(name)}, async () => (await import(${JSON.stringify(relative(folder, source))})).provider);`,
  );
  return [
    'import { addCloudProvider, createProviderRegistry } from "@peerpods/cloud-providers";',
    "export function builtinProviders() {",
    "  const registry = createProviderRegistry();",
    ...lines,
    "  return registry;",
    "}",
  ].join("\n");
}
