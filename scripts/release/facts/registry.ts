import { ReleaseError } from "../errors.ts";
import { output, type Place } from "../programs.ts";

/** Longest time for one answer of the registry. */
const ANSWER_TIMEOUT_MS = 30_000;

/** One version as the registry serves it. */
export interface PublishedVersion {
  /** The commit that it was packed from, as this release writes it into each package. */
  readonly gitHead: string | undefined;
  readonly tarball: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What the registry serves of one package; nothing when it was never published. */
export interface PublishedPackage {
  readonly versions: ReadonlyMap<string, PublishedVersion>;
  readonly distTags: Readonly<Record<string, string>>;
}

/** Base address of the registry that the npm configuration names for the scope, with a slash at its end. */
export async function registryAddress(place: Place): Promise<string> {
  for (const key of ["@peerpods:registry", "registry"]) {
    const value = await output(place, "npm", ["config", "get", key]);
    if (/^https?:/.test(value)) return value.endsWith("/") ? value : `${value}/`;
  }
  throw new ReleaseError("registry", "the npm configuration names no registry", {
    remedy: "npm config set registry <address>, or name it with --registry",
  });
}

/** @throws ReleaseError `registry` for any answer but the package or its absence. */
export async function readPublished(
  registry: string,
  name: string,
  signal: AbortSignal,
): Promise<PublishedPackage> {
  const response = await ask(new URL(name.replace("/", "%2f"), registry), signal);
  if (response.status === 404) return { versions: new Map(), distTags: {} };
  const body = (await response.json()) as {
    readonly versions?: Record<
      string,
      {
        readonly gitHead?: string;
        readonly dist: { readonly tarball: string };
        readonly dependencies?: Record<string, string>;
      }
    >;
    readonly "dist-tags"?: Record<string, string>;
  };
  return {
    versions: new Map(
      Object.entries(body.versions ?? {}).map(([version, { gitHead, dist, dependencies = {} }]) => [
        version,
        { gitHead, tarball: dist.tarball, dependencies },
      ]),
    ),
    distTags: body["dist-tags"] ?? {},
  };
}

/** Whether the registry hands the file of a version out, which may be later than its description. */
export async function servesTarball({ tarball }: PublishedVersion, signal: AbortSignal): Promise<boolean> {
  const response = await ask(new URL(tarball), signal);
  await response.body?.cancel();
  return response.ok;
}

async function ask(address: URL, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      // A registry behind a cache must not answer from before the publication.
      headers: { "cache-control": "no-cache" },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unusable(address, "does not answer", error);
  }
  if (response.ok || response.status === 404) return response;
  throw unusable(address, `answers ${response.status}`, await response.text());
}

function unusable(address: URL, what: string, cause: unknown): ReleaseError {
  return new ReleaseError("registry", `the registry ${what} for ${address.pathname}`, {
    remedy: "run the release again when the registry is well; it goes on where it stopped",
    cause,
  });
}
