import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce, missingGo } from "@peerpods/test-harness";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const ACTIONLINT = "1.7.7";
const workflows = join(import.meta.dirname, "../../../.github/workflows");
const withoutGo = await missingGo();

// That GitHub runs them is not shown here: only that it would understand them, and what they are allowed.
describe("the workflows", () => {
  it("are understood by actionlint", { timeout: 300_000 }, async ({ skip }) => {
    if (withoutGo !== undefined) skip(withoutGo);
    const directory = await buildOnce(`actionlint-${ACTIONLINT}`, async (target) => {
      const module = `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT}`;
      await execa("go", ["install", module], { env: { GOBIN: target } });
    });
    const files = (await readdir(workflows)).map((file) => join(workflows, file));
    expect(files.length).toBeGreaterThan(1);
    const { exitCode, stdout } = await execa(join(directory, "actionlint"), files, { reject: false });
    expect(stdout).toBe("");
    expect(exitCode).toBe(0);
  });

  it("take actions by hash only", async () => {
    for (const file of await readdir(workflows)) {
      const text = await readFile(join(workflows, file), "utf8");
      const used = [...text.matchAll(/uses: *(\S+)(.*)/g)].map(
        ([, action = "", comment = ""]) => action + comment,
      );
      expect(used.filter((one) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(one))).toEqual([]);
    }
  });

  it("let one job alone publish, and give it no stored secret", async () => {
    const texts = await Promise.all(
      (await readdir(workflows)).map((file) => readFile(join(workflows, file), "utf8")),
    );
    expect(texts.join("\n").match(/id-token: write/g)).toHaveLength(1);
    expect(texts.join("\n")).not.toContain("secrets.");
  });
});
