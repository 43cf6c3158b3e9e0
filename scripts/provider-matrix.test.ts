import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { conformanceRules, conforms } from "../packages/cloud-providers/src/conformance/index.ts";
import { committedReports, markers, matrixSection, withMatrix } from "./provider-matrix.ts";

const document = await readFile(join(import.meta.dirname, "../docs/providers.md"), "utf8");
const reports = await committedReports();

describe("docs/providers.md", () => {
  it("has the matrix of the reports that are committed", () => {
    expect(withMatrix(document, matrixSection(reports))).toBe(document);
  });

  it.each(reports.map((report) => [report.provider, report] as const))(
    "has a report on %s about every rule that there is, with what it ran against",
    (provider, report) => {
      expect(report.results.map(({ id, title }) => ({ id, title }))).toEqual(
        conformanceRules.map(({ id, title }) => ({ id, title })),
      );
      expect(conforms(report)).toBe(true);
      expect([provider, report.environment]).toEqual([
        provider,
        {
          against: expect.any(String) as string,
          real: expect.any(String) as string,
          stoodIn: expect.any(String) as string,
        },
      ]);
    },
  );

  it("cannot be written without its markers", () => {
    expect(() => withMatrix(document.replace(markers[1], ""), "")).toThrow(/lacks/);
  });
});
