/** The type-checking configurations of a scaffolded package, by file name. */
export function tsconfigs(inRepository: boolean): readonly (readonly [string, string])[] {
  const base = inRepository ? { extends: "../../tsconfig.base.json" } : {};
  const own = inRepository ? {} : standalone;
  const check = {
    ...base,
    compilerOptions: { ...own, noEmit: true, ...(inRepository ? { rootDir: "../.." } : {}) },
    include: ["src"],
  };
  const build = {
    ...base,
    compilerOptions: {
      ...own,
      composite: true,
      rootDir: "src",
      outDir: "dist",
      tsBuildInfoFile: "dist/.tsbuildinfo",
    },
    include: ["src"],
    exclude: ["src/**/*.test.ts", "src/testing"],
    ...(inRepository ? { references: [{ path: "../cloud-providers/tsconfig.build.json" }] } : {}),
  };
  return [
    ["tsconfig.json", json(check)],
    ["tsconfig.build.json", json(build)],
  ];
}

const standalone = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  module: "nodenext",
  rewriteRelativeImportExtensions: true,
  target: "es2024",
  lib: ["es2025", "esnext.disposable"],
  types: ["node"],
  declaration: true,
  sourceMap: true,
  skipLibCheck: true,
};

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
