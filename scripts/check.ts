/** Every gate in one command: `pnpm check`. Runs all of them, says which failed, and exits 1 if any did. */
import { readdir } from "node:fs/promises";
import { execa } from "execa";

const packages = (await readdir("packages")).map((name) => `packages/${name}`);

const gates: Record<string, () => Promise<unknown>> = {
  types: () => run("pnpm", ["check:type"]),
  lint: () => run("oxlint", ["--type-aware", "--deny-warnings"]),
  format: () => run("oxfmt", ["--check"]),
  "import arrows": () => run("node", ["scripts/check-arrows.ts"]),
  "generated files": async () => {
    await run("pnpm", ["generate"]);
    // Fails and shows the difference when a generated file that is committed was not current.
    await run("git", [
      "diff",
      "--exit-code",
      "--stat",
      "--",
      "packages/*/src/gen",
      "packages/*/README.md",
      "packages/*/deploy",
      "docs",
    ]);
  },
  "API reports": async () => {
    await run("pnpm", ["build"]);
    await run("node", ["scripts/api-reports/main.ts", "--check"]);
  },
  "packed packages": async () => {
    await run("pnpm", ["build"]);
    for (const dir of packages) {
      await run("publint", ["--strict", dir]);
      await run("attw", ["--pack", dir, "--profile", "esm-only"]);
    }
  },
};

const failed: string[] = [];
for (const [name, gate] of Object.entries(gates)) {
  process.stdout.write(`\n== ${name}\n`);
  try {
    await gate();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message.split("\n")[0] : String(error)}\n`);
    failed.push(name);
  }
}
process.stdout.write(failed.length === 0 ? "\nall gates passed\n" : `\nfailed: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function run(program: string, args: readonly string[]): Promise<unknown> {
  return execa(program, args, { stdio: "inherit", preferLocal: true });
}
