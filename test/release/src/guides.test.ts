import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scaffold } from "../../../packages/create-provider/src/scaffold.ts";
import { readGuide } from "./stand/guide.ts";

it("shows code in adding-a-provider.md that is scaffolded", async () => {
  const dir = await mkdtemp(join(tmpdir(), "peerpods-guide-"));
  try {
    await scaffold({ name: "acme", dir });
    const blocks = (await readGuide("adding-a-provider.md")).filter(({ info }) => info.startsWith("ts "));
    expect(blocks.length).toBeGreaterThan(3);
    for (const { info, text } of blocks) {
      const file = /^ts file=(\S+)$/.exec(info)?.[1] ?? "none";
      expect(await readFile(join(dir, file), "utf8")).toContain(text);
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
