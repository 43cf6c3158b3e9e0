/**
 * Bundles programs of the package in the current directory: one self-contained ESM file each, needing only Node.
 *
 * Usage: node ../../scripts/bundle.ts src/program.ts [src/other.ts ...]   ->   bundle/program.mjs ...
 *
 * PROVIDERS=aws,libvirt builds in just those providers.
 */
import { bundlePrograms, providersOf } from "./bundle-programs.ts";

const entryPoints = process.argv.slice(2);
if (entryPoints.length === 0) throw new Error("name at least one program to bundle, e.g. src/main.ts");
await bundlePrograms(entryPoints, { outdir: "bundle", providers: providersOf(process.env["PROVIDERS"]) });
