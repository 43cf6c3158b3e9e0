/**
 * Bundles all programs with chosen providers, as build tags choose them: `PROVIDERS=aws,libvirt pnpm bundle`.
 * Without PROVIDERS every provider of the workspace is in. Writes to `bundle/` and prints a table of sizes and start times.
 */
import { join } from "node:path";
import { measureStart } from "./measure.ts";
import { writeBundle } from "./write-bundle.ts";

const root = join(import.meta.dirname, "../..");

try {
  const { providers, programs } = await writeBundle({
    root,
    into: join(root, "bundle"),
    providers: process.env["PROVIDERS"],
  });
  process.stdout.write(`providers: ${providers.join(", ")}\n\n`);
  process.stdout.write(
    "| program | MiB | packages inside | start, ms | with a compile cache, ms |\n|---|---|---|---|---|\n",
  );
  for (const { program, file, bytes, packages } of programs) {
    const { plainMs, cachedMs } = await measureStart(file);
    const cells = [program, (bytes / 2 ** 20).toFixed(2), packages, plainMs.toFixed(0), cachedMs.toFixed(0)];
    process.stdout.write(`| ${cells.join(" | ")} |\n`);
  }
} catch (error) {
  process.stderr.write(`bundle: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
