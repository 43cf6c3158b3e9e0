import type { BuildOptions } from "esbuild";

/** How every bundle of this repository is made: one ESM file that needs only Node. */
export const bundleOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  conditions: ["@peerpods/source"],
  sourcemap: "linked",
  // CommonJS dependencies inside an ESM file still ask for `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module";const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
} satisfies BuildOptions;
