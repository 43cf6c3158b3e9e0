import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { openTestBed } from "./testing/test-bed.ts";

const isRoot = process.geteuid?.() === 0;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe.skipIf(!isRoot)("README (needs root)", () => {
  test("its example runs as it stands", async () => {
    await using bed = await openTestBed();
    const readme = await readFile(here("../README.md"), "utf8");
    const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? "";
    // In the package, so that it finds the packages as a user's file does.
    const file = here(`../example-${process.pid}.ts`);
    const flags = Object.entries(bed.config)
      .filter(([, value]) => typeof value === "string" && value !== "")
      .map(([flag, value]) => `-${flag}=${String(value)}`);
    try {
      await writeFile(file, example.replaceAll('"/tmp/peerpods-local-"', `"${bed.stateDirectory}/example-"`));
      const { stdout } = await execa(process.execPath, ["--conditions=@peerpods/source", file, ...flags]);
      expect(stdout.split("\n")).toEqual([
        expect.stringMatching(/^podvm-example has address 10\./),
        "1 VM",
        "deleted",
      ]);
    } finally {
      await rm(file, { force: true });
    }
  });
});
