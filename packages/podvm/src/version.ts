/** Version of the guest programs; a test holds it against package.json. */
export const version = "0.1.0";

/** What `--version` prints. */
export function versionText(program: string): string {
  return `${program} version ${version}\n  node: ${process.version}\n`;
}
