import { packageVersion as contractVersion } from "@peerpods/cloud-providers";
import { describeMismatches, release as controller, releaseProblems } from "@peerpods/peerpod-ctrl/release";
import { packageVersion, releasedWith } from "./release.ts";

const CONTRACT = "@peerpods/cloud-providers";
const CONTROLLER = "@peerpods/peerpod-ctrl";

/** The release chain as it is installed here: what this program is, and what it found. */
const adaptor = {
  version: packageVersion,
  releasedWith,
  found: { [CONTRACT]: contractVersion, [CONTROLLER]: controller.version },
};

const controllersContract = controller.found[CONTRACT] ?? "";

/** Versions of the release chain, a line each, as `version` prints them. */
export function chainText(): string {
  return `  cloud-providers: ${contractVersion}\n  peerpod-ctrl: ${controller.version}, with cloud-providers ${controllersContract}\n`;
}

/** What of the release chain does not fit together, with the remedy; nothing when all of it was released together. */
export function chainProblems(): readonly string[] {
  const problems = [...describeMismatches("@peerpods/cloud-api-adaptor", adaptor), ...releaseProblems()];
  if (controllersContract !== contractVersion)
    problems.push(
      `${CONTRACT} is installed twice, ${contractVersion} for the adaptor and ${controllersContract} for ${CONTROLLER}: npm dedupe`,
    );
  return problems;
}
