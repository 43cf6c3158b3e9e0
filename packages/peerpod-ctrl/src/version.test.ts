import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { version } from "./version.ts";

it("is that of package.json", async () => {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as unknown;
  expect(manifest).toMatchObject({ version });
});
