import type { Facts } from "../facts/facts.ts";

/** Packages that pin an older version of a sibling than the one that is tagged and published on this line. */
export function laggingDependents({ packages }: Facts): readonly string[] {
  const versions = new Map(packages.map((one) => [one.name, one]));
  return packages.flatMap(({ name, dependencies }) =>
    dependencies.flatMap((dependency) => {
      const newest = versions.get(dependency.name)?.lastTag?.version;
      if (dependency.kind !== "exact" || newest === undefined || dependency.spec === newest) return [];
      if (versions.get(dependency.name)?.published.versions.has(newest) !== true) return [];
      return [
        `${name} lags behind: it takes ${dependency.name} ${dependency.spec}, and ${newest} is published: run pnpm release, which bumps it`,
      ];
    }),
  );
}
