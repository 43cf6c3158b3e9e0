import { packageVersion as contractVersion } from "@peerpods/cloud-providers";
import { packageVersion, releasedWith } from "./release.ts";

/** What a package of the release chain is, and what it found beside it. */
export interface InstalledRelease {
  readonly version: string;
  /** Exact versions of siblings that it was released with, by package name. */
  readonly releasedWith: Readonly<Record<string, string>>;
  /** Versions of siblings that it really imports, by package name. */
  readonly found: Readonly<Record<string, string>>;
}

/** The installed controller. Importing it brings nothing else of the package along. */
export const release: InstalledRelease = {
  version: packageVersion,
  releasedWith,
  found: { "@peerpods/cloud-providers": contractVersion },
};

/**
 * Whether what is installed is what was released together. Of no use to a bundle, which holds what it was built with.
 * @returns a sentence for each sibling that is another, with the remedy
 */
export function releaseProblems(): readonly string[] {
  return describeMismatches("@peerpods/peerpod-ctrl", release);
}

/** A sentence for each sibling of a package that is another version than it was released with. */
export function describeMismatches(name: string, of: InstalledRelease): readonly string[] {
  return Object.entries(of.releasedWith)
    .filter(([sibling, version]) => of.found[sibling] !== undefined && of.found[sibling] !== version)
    .map(
      ([sibling, version]) =>
        `${name} ${of.version} was released with ${sibling} ${version}, and ${of.found[sibling] ?? ""} is installed: ` +
        `install ${name} anew, without overrides for ${sibling}`,
    );
}
