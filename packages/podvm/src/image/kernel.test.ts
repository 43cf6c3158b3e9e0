import { describe, expect, it } from "vitest";
import { ImageError } from "./image.ts";
import { kernelPackageOf } from "./kernel.ts";
import type { Run } from "./run.ts";

/** What apt prints for the packages there are. */
const apt =
  (packages: Readonly<Record<string, { depends?: string; version?: string }>>): Run =>
  async (_program, [command, ...rest]) => {
    const { depends, version } = packages[rest.at(-1) ?? ""] ?? {};
    if (command === "depends") return depends === undefined ? "" : `meta\n  Depends: ${depends}\n`;
    return version === undefined ? "" : `Package: x\nVersion: ${version}\nDepends: kmod\n`;
  };

describe("the package of a kernel", () => {
  it("is what a package without content depends on", async () => {
    const run = apt({
      "linux-image-cloud-amd64": { depends: "linux-image-6.1.0-1-cloud-amd64", version: "6.1" },
      "linux-image-6.1.0-1-cloud-amd64": { version: "6.1.9-1" },
    });
    expect(await kernelPackageOf("linux-image-cloud-amd64", run)).toEqual({
      name: "linux-image-6.1.0-1-cloud-amd64",
      version: "6.1.9-1",
    });
  });

  it("is itself where it depends on no other kernel", async () => {
    const run = apt({ "linux-image-6.1.0-1-amd64": { version: "6.1.9-1" } });
    expect(await kernelPackageOf("linux-image-6.1.0-1-amd64", run)).toMatchObject({ version: "6.1.9-1" });
  });

  it("that apt does not know is named, with the remedy", async () => {
    const unknown = kernelPackageOf("linux-image-none", apt({}));
    await expect(unknown).rejects.toThrow(ImageError);
    await expect(unknown).rejects.toThrow(/linux-image-none.*apt-get update/);
  });
});
