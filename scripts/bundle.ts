/**
 * Bundles programs of the package in the current directory: one self-contained ESM file each, needing only Node.
 * `pnpm bundle` (scripts/bundle/) makes all programs of the repository with chosen providers.
 *
 * Usage: node ../../scripts/bundle.ts src/program.ts [src/other.ts ...]   ->   bundle/program.mjs ...
 */
import { chmod, readdir, rm } from "node:fs/promises";
import { build } from "esbuild";
import { bundleOptions } from "./bundle/options.ts";

const entryPoints = process.argv.slice(2);
if (entryPoints.length === 0) throw new Error("name at least one program to bundle, e.g. src/main.ts");

await rm("bundle", { recursive: true, force: true });
await build({ ...bundleOptions, entryPoints, outdir: "bundle", outExtension: { ".js": ".mjs" } });

// The programs are named in `bin`, so they begin with a hashbang (from their source) and can be executed.
for (const file of await readdir("bundle")) if (file.endsWith(".mjs")) await chmod(`bundle/${file}`, 0o755);
