import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packInitrd } from "./initrd.ts";

it("an initrd names each file and link once, and goes through no link to a directory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "initrd-"));
  try {
    const tree = join(directory, "tree");
    await mkdir(join(tree, "usr/bin"), { recursive: true });
    await writeFile(join(tree, "usr/bin/program"), "");
    await symlink("usr/bin", join(tree, "bin"));
    const asked: { readonly input?: string; readonly args: readonly string[] }[] = [];
    await packInitrd(tree, {
      file: join(directory, "initrd"),
      run: async (_program, args, { input } = {}) => {
        asked.push({ args, ...(input === undefined ? {} : { input }) });
        return "";
      },
    });
    expect(asked[0]?.input).toBe("bin\nusr\nusr/bin\nusr/bin/program\n");
    expect(asked[0]?.args).toContain("--owner=+0:+0");
  } finally {
    await rm(directory, { recursive: true });
  }
});
