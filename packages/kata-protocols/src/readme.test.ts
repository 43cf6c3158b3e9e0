import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("the README's example runs as it stands", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? "";
  // In the package, so that it finds the packages as a user's file does.
  const file = fileURLToPath(new URL(`../example-${process.pid}.ts`, import.meta.url));
  try {
    await writeFile(file, example);
    const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@peerpods/source", file]);
    expect(stdout).toBe("0a03736231\n");
  } finally {
    await rm(file, { force: true });
  }
});
