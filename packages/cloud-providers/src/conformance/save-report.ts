import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConformanceReport } from "./report.ts";

/**
 * Saves reports as `<directory>/<provider>.json`, without durations, so that the same result is the same file.
 * @param directory default: nothing is saved. An existing report is replaced.
 */
export function saveReportTo(directory: string | undefined): (report: ConformanceReport) => Promise<void> {
  return async (report) => {
    if (directory === undefined || directory === "") return;
    await mkdir(directory, { recursive: true });
    const withoutTimes = (key: string, value: unknown) => (key === "durationMs" ? undefined : value);
    const text = `${JSON.stringify(report, withoutTimes, 2)}\n`;
    await writeFile(join(directory, `${report.provider}.json`), text);
  };
}
