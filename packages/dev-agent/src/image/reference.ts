import { join } from "node:path";
import { invalidArgument } from "../errors.ts";

/** Where an image may be found. */
export type ImageSource =
  /** An OCI layout on disk. */
  | { readonly kind: "layout"; readonly directory: string; readonly tag: string }
  /** A registry, as skopeo's `docker:` transport names it. */
  | { readonly kind: "registry"; readonly name: string };

const MAX_LENGTH = 512;

/**
 * The places to look for an image, best first.
 *
 * - `oci:<directory>[:<tag>]` is an OCI layout;
 * - `docker://<name>` is in a registry;
 * - any other name is looked up in `imageRoot` (`<imageRoot>/<name without tag>` as an OCI layout), then in its registry.
 *
 * @throws ConnectError INVALID_ARGUMENT for what cannot be an image's name.
 */
export function imageSources(reference: string, imageRoot: string): ImageSource[] {
  // A name goes into paths and command lines.
  if (
    reference === "" ||
    reference.length > MAX_LENGTH ||
    !/^[\w./:@+-]+$/.test(reference) ||
    reference.startsWith("-")
  )
    throw invalidArgument(`${JSON.stringify(reference.slice(0, MAX_LENGTH))} is not an image reference`);
  if (reference.startsWith("oci:")) return [layout(reference.slice("oci:".length))];
  if (reference.startsWith("docker://"))
    return [{ kind: "registry", name: reference.slice("docker://".length) }];
  const registry: ImageSource = { kind: "registry", name: reference };
  const { name, tag, digest } = splitReference(reference);
  // A layout is found by tag; a digest means one certain content, which only the registry can promise.
  if (digest !== undefined || name.split("/").includes("..")) return [registry];
  return [{ kind: "layout", directory: join(imageRoot, name), tag }, registry];
}

function layout(rest: string): ImageSource {
  const { name, tag } = splitReference(rest);
  return { kind: "layout", directory: name, tag };
}

/** The colon of a port is followed by a slash, that of a tag is not. */
function splitReference(reference: string): { name: string; tag: string; digest?: string } {
  const [named = "", digest] = reference.split("@", 2);
  const match = /^(.*?)(?::([\w][\w.-]{0,127}))?$/.exec(named);
  const name = match?.[1] ?? named;
  const tag = match?.[2] ?? "latest";
  return { name, tag, ...(digest !== undefined && { digest }) };
}
