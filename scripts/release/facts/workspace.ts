import { relative } from "node:path";
import { getPackages, type Package } from "@manypkg/get-packages";
import { ReleaseError } from "../errors.ts";

const SCOPE = "@peerpods/";

/** What a published package says of a sibling. */
export interface Dependency {
  /** Package name, e.g. `@peerpods/cloud-providers`. */
  readonly name: string;
  /**
   * `exact`: a version, as within the release chain; linked to the workspace while it matches.
   * `range`: `workspace:^`, written out when packed.
   */
  readonly kind: "exact" | "range";
  /** The version, or the range without `workspace:`. */
  readonly spec: string;
}

/** A package of the workspace that is published. */
export interface WorkspacePackage {
  /** e.g. `@peerpods/cloud-providers` */
  readonly name: string;
  /** Name without the scope; the first half of its tags. */
  readonly shortName: string;
  readonly version: string;
  /** Absolute path. */
  readonly dir: string;
  /** Path from the root of the repository. */
  readonly path: string;
  readonly dependencies: readonly Dependency[];
  /** Its files contain built code of its dependencies, so every change of theirs is a change of it. */
  readonly bundles: boolean;
}

/**
 * The published packages below `root`, each after what it depends on, siblings by name.
 * @throws ReleaseError `contradiction` for a cycle.
 */
export async function readWorkspace(root: string): Promise<readonly WorkspacePackage[]> {
  const { packages } = await getPackages(root);
  const published = packages
    .filter(({ packageJson }) => packageJson.private !== true && packageJson.name.startsWith(SCOPE))
    .map((one) => toPackage(root, one));
  return inOrder(published);
}

function toPackage(root: string, { dir, packageJson }: Package): WorkspacePackage {
  const siblings = { ...packageJson.peerDependencies, ...packageJson.dependencies };
  return {
    name: packageJson.name,
    shortName: packageJson.name.slice(SCOPE.length),
    version: packageJson.version,
    dir,
    path: relative(root, dir),
    dependencies: Object.entries(siblings)
      .filter(([name]) => name.startsWith(SCOPE))
      .map(([name, spec]) => toDependency(name, spec)),
    bundles: ((packageJson as { readonly files?: readonly string[] }).files ?? []).includes("bundle"),
  };
}

function toDependency(name: string, spec: string): Dependency {
  return spec.startsWith("workspace:")
    ? { name, kind: "range", spec: spec.slice("workspace:".length) }
    : { name, kind: "exact", spec };
}

function inOrder(packages: readonly WorkspacePackage[]): readonly WorkspacePackage[] {
  const left = new Map(packages.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((one) => [one.name, one]));
  const ordered: WorkspacePackage[] = [];
  while (left.size > 0) {
    const next = [...left.values()].find(
      ({ dependencies }) => !dependencies.some(({ name }) => left.has(name)),
    );
    if (next === undefined)
      throw new ReleaseError(
        "contradiction",
        `these packages depend on each other: ${[...left.keys()].join(", ")}`,
        {
          remedy: "break the cycle; scripts/check-arrows.ts has the arrows that are allowed",
        },
      );
    left.delete(next.name);
    ordered.push(next);
  }
  return ordered;
}
