import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import type { Entry } from "./entries.ts";

/** Brings a report up to date. @returns whether it was current; with `check` it is left as it is */
export async function writeReport(
  { packageDir, declarations, report }: Entry,
  { check }: { readonly check: boolean },
): Promise<boolean> {
  const folder = join(packageDir, "etc");
  if (!check) await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(tmpdir(), "peerpods-api-"));
  try {
    const config = ExtractorConfig.prepare({
      packageJsonFullPath: join(packageDir, "package.json"),
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: packageDir,
        mainEntryPointFilePath: declarations,
        newlineKind: "lf",
        // Its own TypeScript reads what ours has written.
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              module: "nodenext",
              moduleResolution: "nodenext",
              target: "es2024",
              lib: ["es2024", "esnext.disposable"],
              types: ["node"],
              strict: true,
              exactOptionalPropertyTypes: true,
              skipLibCheck: true,
            },
            files: [declarations],
          },
        },
        apiReport: {
          enabled: true,
          reportFileName: report,
          reportFolder: folder,
          reportTempFolder: temporary,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
          // The docstrings are ours, not TSDoc's.
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
    });
    const { apiReportChanged, errorCount } = Extractor.invoke(config, {
      localBuild: !check,
      messageCallback: (message) => {
        // It would tell what each step did.
        message.handled = message.logLevel !== ExtractorLogLevel.Error;
      },
    });
    if (errorCount > 0) throw new Error(`the declarations ${declarations} cannot be read`);
    return !apiReportChanged;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
