import { describe, expect, test } from "vitest";
import { imageSources } from "./reference.ts";

const root = "/images";
const layout = (directory: string, tag: string) => ({ kind: "layout", directory, tag });
const registry = (name: string) => ({ kind: "registry", name });

describe("where an image is looked for", () => {
  test.each([
    ["localhost/busybox:1", [layout("/images/localhost/busybox", "1"), registry("localhost/busybox:1")]],
    ["busybox", [layout("/images/busybox", "latest"), registry("busybox")]],
    ["host:5000/a/b", [layout("/images/host:5000/a/b", "latest"), registry("host:5000/a/b")]],
    ["host:5000/a/b:2", [layout("/images/host:5000/a/b", "2"), registry("host:5000/a/b:2")]],
    [`a@sha256:${"0".repeat(64)}`, [registry(`a@sha256:${"0".repeat(64)}`)]],
    ["../../etc/x", [registry("../../etc/x")]],
    ["oci:/some/dir:tag", [layout("/some/dir", "tag")]],
    ["oci:/some/dir", [layout("/some/dir", "latest")]],
    ["docker://host/a:1", [registry("host/a:1")]],
  ])("%s", (reference, sources) => {
    expect(imageSources(reference, root)).toEqual(sources);
  });

  test.each(["", "a b", "a;b", "$(x)", "--flag", "a\nb", "x".repeat(600)])("%j is refused", (reference) => {
    expect(() => imageSources(reference, root)).toThrow("is not an image reference");
  });
});
