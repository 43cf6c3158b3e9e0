import { expect, it } from "vitest";
import { createFakeTarget } from "../testing/fake-target.ts";
import { conformanceMatrix, conforms, reportMarkdown, type RuleResult } from "./report.ts";
import { RuleViolation, type Rule } from "./rule.ts";
import { conformanceRules } from "./rules/index.ts";
import { runConformance } from "./run.ts";

const rule = (id: string, change: Partial<Rule> = {}): Rule => ({
  id,
  title: `${id} | title`,
  source: "test",
  run: () => Promise.resolve(),
  ...change,
});

const rules: readonly Rule[] = [
  rule("good"),
  rule("broken", { run: () => Promise.reject(new RuleViolation("one is\nnot more | than two")) }),
  rule("thrown", { run: () => Promise.reject("a string") }),
  rule("more", { abilities: ["spot"] }),
  rule("elsewhere", { needs: ["vanish"] }),
];

async function run() {
  const { target } = createFakeTarget({ abilities: [] });
  delete (target as { vanish?: unknown }).vanish;
  return await runConformance(
    { ...target, missing: { vanish: "no way to reach the hypervisor" } },
    { rules },
  );
}

it("tells passed, failed, not offered and skipped apart, with reasons", async () => {
  const report = await run();
  expect(report.results.map(({ id, status, reason }) => [id, status, reason])).toEqual([
    ["good", "passed", undefined],
    ["broken", "failed", "one is\nnot more | than two"],
    ["thrown", "failed", 'it ended with "a string"'],
    ["more", "not_offered", "the provider does not offer spot"],
    ["elsewhere", "skipped", "no way to reach the hypervisor"],
  ]);
  expect(conforms(report)).toBe(false);
  expect(conforms({ ...report, results: report.results.filter(({ status }) => status !== "failed") })).toBe(
    true,
  );
  expect(conforms({ ...report, results: [], left: ["i-1"] })).toBe(false);
});

it("survives JSON, and reads as markdown with whole rows", async () => {
  const report = await run();
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  const lines = reportMarkdown({ ...report, left: ["i-1"] }).split("\n");
  expect(lines).toContain("1 passed, 2 failed, 1 not offered, 1 skipped. Abilities: none.");
  expect(lines).toContain("**Left behind: i-1**");
  expect(lines).toContain(
    "| `broken` | **failed**: one is not more \\| than two | broken \\| title | test |",
  );
});

it("puts providers side by side", async () => {
  const report = await run();
  const other = { ...report, provider: "other", results: report.results.slice(0, 1) };
  expect(conformanceMatrix([report, other]).split("\n").slice(0, 4)).toEqual([
    "| rule | requirement | fake | other |",
    "|---|---|---|---|",
    "| `good` | good \\| title | passed | passed |",
    "| `broken` | broken \\| title | **failed** |  |",
  ]);
});

it("begins no rule once it is ended, and says what happens as it happens", async () => {
  const controller = new AbortController();
  const seen: RuleResult[] = [];
  const { results } = await runConformance(createFakeTarget().target, {
    rules: [rule("first"), rule("second", { run: () => Promise.reject(new Error("was begun")) })],
    signal: controller.signal,
    onResult: (result) => {
      seen.push(result);
      controller.abort();
    },
  });
  expect(results.map(({ status }) => status)).toEqual(["passed", "skipped"]);
  expect(seen).toEqual(results);
});

it("every rule has a name, a sentence and a source of its own", () => {
  expect(new Set(conformanceRules.map(({ id }) => id)).size).toBe(conformanceRules.length);
  expect(new Set(conformanceRules.map(({ title }) => title)).size).toBe(conformanceRules.length);
  for (const { id, source } of conformanceRules)
    expect([id, source]).toEqual([
      expect.stringMatching(/^[a-z-]+$/),
      expect.stringMatching(/contract|design/),
    ]);
});
