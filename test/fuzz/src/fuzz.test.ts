import { describe, expect, it } from "vitest";
import { loadCorpus } from "./corpus.ts";
import { fuzz } from "./engine/fuzz.ts";
import { targets } from "./targets/index.ts";

/** Another seed each time would make a failure come and go; `pnpm fuzz` is where new inputs are looked for. */
const seed = 20_260;
const inputs = 512;

describe("hostile input, the kept corpus and a seeded share of mutations", () => {
  it.each(targets)("$name", { timeout: 60_000 }, async (target) => {
    await using opened = await target.open();
    const corpus = await loadCorpus(target.name);
    const { finding } = await fuzz(target, opened, { seed, corpus, isOver: (tried) => tried >= inputs });
    expect(finding && { error: finding.error, input: finding.input.toString("base64") }).toBeUndefined();
  });
});
