import { access, chmod, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";

const packages = join(import.meta.dirname, "../packages");

export interface BundleOptions {
  readonly outdir: string;
  /** Providers to build in; absent: those that the source has. */
  readonly providers?: readonly string[] | undefined;
  /** Default true; an image does without. */
  readonly sourcemap?: boolean;
}

/** The list in the environment variable PROVIDERS; absent when it is not set. */
export function providersOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}

/** Makes one self-contained ESM file of each program; `src/main.ts` becomes `<outdir>/main.mjs`. */
export async function bundlePrograms(
  entryPoints: readonly string[] | Readonly<Record<string, string>>,
  { outdir, providers, sourcemap = true }: BundleOptions,
): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: Array.isArray(entryPoints) ? [...(entryPoints as string[])] : { ...(entryPoints as object) },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    conditions: ["@peerpods/source"],
    sourcemap: sourcemap ? "linked" : false,
    // CommonJS dependencies inside an ESM file still ask for `require`.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module";const require = __createRequire(import.meta.url);',
    },
    logLevel: "warning",
    plugins: providers === undefined ? [] : [await builtinProviders(providers)],
  });
  // The programs are named in `bin`, so they begin with a hashbang (from their source) and can be executed.
  for (const file of await readdir(outdir)) if (file.endsWith(".mjs")) await chmod(join(outdir, file), 0o755);
}

/** Replaces `builtin-providers.ts` of a program by one with these providers, each loaded when it is first used. */
async function builtinProviders(names: readonly string[]): Promise<Plugin> {
  const entries = names.map((name) => ({ name, file: join(packages, `provider-${name}/src/index.ts`) }));
  for (const { name, file } of entries)
    await access(file).catch(() => {
      throw new Error(`PROVIDERS names ${JSON.stringify(name)}, and there is no package provider-${name}`);
    });
  const contents = [
    'import { addCloudProvider, createProviderRegistry } from "@peerpods/cloud-providers";',
    "export function builtinProviders() {",
    "  const registry = createProviderRegistry();",
    ...entries.map(
      ({ name, file }) =>
        `  addCloudProvider(registry, ${JSON.stringify(name)}, async () => (await import(${JSON.stringify(file)})).provider);`,
    ),
    "  return registry;",
    "}",
  ].join("\n");
  return {
    name: "builtin-providers",
    setup(bundle) {
      bundle.onLoad({ filter: /\/builtin-providers\.ts$/ }, ({ path }) => ({
        contents,
        loader: "ts",
        resolveDir: dirname(path),
      }));
    },
  };
}
