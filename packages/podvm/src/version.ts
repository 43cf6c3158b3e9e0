import { packageVersion as version } from "./release.ts";

/** What `--version` prints. */
export function versionText(program: string): string {
  return `${program} version ${version}\n  node: ${process.version}\n`;
}
