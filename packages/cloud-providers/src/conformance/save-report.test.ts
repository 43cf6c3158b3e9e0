import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createFakeTarget } from "../testing/fake-target.ts";
import { defineConformanceTests, type TestRunner } from "./define-tests.ts";
import type { ConformanceReport } from "./report.ts";
import { conformanceRules } from "./rules/index.ts";
import { saveReportTo } from "./save-report.ts";

const rules = conformanceRules.filter(({ id }) => id === "create-answer" || id === "token-repeat");

/** Plays what was defined, as vitest would; `only` leaves tests out as its filter does. */
async function play(
  onReport: (report: ConformanceReport) => Promise<void>,
  only: (name: string) => boolean = () => true,
): Promise<void> {
  const steps: {
    before: (() => Promise<void>)[];
    tests: (() => Promise<void>)[];
    after: (() => Promise<void>)[];
  } = {
    before: [],
    tests: [],
    after: [],
  };
  const runner: TestRunner = {
    describe: (_name, define) => define(),
    it: (name, test) => void (only(name) && steps.tests.push(() => test({ skip: () => undefined }))),
    beforeAll: (prepare) => void steps.before.push(prepare),
    afterAll: (tidyUp) => void steps.after.push(tidyUp),
  };
  defineConformanceTests(runner, () => Promise.resolve(createFakeTarget()), { rules, onReport });
  for (const step of [...steps.before, ...steps.tests, ...steps.after]) await step();
}

it("saves the same result as the same file", async () => {
  const directory = await mkdtemp(join(tmpdir(), "peerpods-reports-"));
  try {
    await play(saveReportTo(directory));
    const first = await readFile(join(directory, "fake.json"), "utf8");
    await play(saveReportTo(directory));
    expect(await readFile(join(directory, "fake.json"), "utf8")).toBe(first);
    expect(JSON.parse(first)).toMatchObject({
      provider: "fake",
      left: [],
      results: rules.map(({ id }) => ({ id, status: "passed" })),
    });
    expect(await readdir(directory)).toEqual(["fake.json"]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

it("tells nothing of a run that left rules out", async () => {
  const told: ConformanceReport[] = [];
  const onReport = (report: ConformanceReport) => Promise.resolve(void told.push(report));
  await play(onReport, (name) => !name.startsWith("token-repeat"));
  expect(told).toEqual([]);
  await play(onReport);
  expect(told).toHaveLength(1);
});
