import { relative } from "node:path";
import { build } from "esbuild";
import { bundleOptions } from "./options.ts";
import type { Program } from "./programs.ts";
import { withProviders, type BundledProvider } from "./providers.ts";

/** Where outputs are named to be; they are written by the caller, and source maps count their paths from here. */
export const OUTPUT = "bundle";

/**
 * Bundles programs with chosen providers, in one go, so that what they share is parsed once; nothing is shared between the
 * files. Writes nothing.
 */
export async function buildPrograms(
  programs: readonly Pick<Program, "name" | "source">[],
  {
    root,
    providers,
    sourcemap = true,
  }: { readonly root: string; readonly providers: readonly BundledProvider[]; readonly sourcemap?: boolean },
) {
  return await build({
    ...bundleOptions,
    // Paths in comments and source maps are those of the repository, wherever it lies.
    absWorkingDir: root,
    entryPoints: programs.map(({ name, source }) => ({ in: relative(root, source), out: name })),
    outdir: OUTPUT,
    write: false,
    outExtension: { ".js": ".mjs" },
    sourcemap: sourcemap ? bundleOptions.sourcemap : false,
    // The ESM form of a package can be left out in part.
    mainFields: ["module", "main"],
    minifyWhitespace: true,
    minifySyntax: true,
    // Not the identifiers: a stack trace is to be read by people, also where there is no source map. `keepNames` would keep the
    // names too, by defining a property of each function when it is made: 256 bytes of every closure that lives.
    legalComments: "none",
    metafile: true,
    plugins: [withProviders(providers)],
  });
}
