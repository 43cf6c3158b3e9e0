import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeBundle, type BundleResult } from "../../../scripts/bundle/write-bundle.ts";

const root = join(import.meta.dirname, "../../..");
let dir: string;
let aws: BundleResult;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "peerpods-bundle-test-"));
  aws = await writeBundle({ root, into: join(dir, "aws"), providers: "aws" });
}, 120_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

const textOf = (folder: string, file: string): Promise<string> => readFile(join(dir, folder, file), "utf8");

describe("a bundle", { timeout: 120_000 }, () => {
  it("has one file for each program, with what goes with it", async () => {
    expect(aws.providers).toEqual(["aws"]);
    const programs = aws.programs.map(({ program }) => program);
    expect(programs).toEqual(
      expect.arrayContaining([
        "agent-protocol-forwarder",
        "agent-relay",
        "cloud-api-adaptor",
        "peerpod-ctrl",
        "peerpods",
        "process-user-data",
      ]),
    );
    const files = programs.flatMap((name) =>
      [".cdx.json", ".licences.txt", ".mjs", ".mjs.map"].map((end) => name + end),
    );
    expect(await readdir(join(dir, "aws"))).toEqual(files.toSorted());
  });

  it("holds the chosen provider and no other, in each program that loads providers", async () => {
    for (const program of ["cloud-api-adaptor", "peerpod-ctrl", "peerpods"]) {
      const { sources } = JSON.parse(await textOf("aws", `${program}.mjs.map`)) as {
        sources: readonly string[];
      };
      const providers = sources.flatMap(
        (source) => /packages\/(provider-[a-z0-9-]+)\/src/.exec(source)?.[1] ?? [],
      );
      expect([program, ...new Set(providers)]).toEqual([program, "provider-aws"]);
      const text = await textOf("aws", `${program}.mjs`);
      expect([text.includes("RunInstances"), text.includes("virsh")]).toEqual([true, false]);
    }
  });

  // V8 keeps a source with any other character at two bytes each, which is MiB of every process.
  it("has only characters of one byte", async () => {
    for (const { program } of aws.programs) {
      const others = (await textOf("aws", `${program}.mjs`)).match(/.{0,40}\P{ASCII}/u) ?? [];
      expect([program, ...others]).toEqual([program]);
    }
  });

  it("is equal byte for byte when it is made again", async () => {
    await writeBundle({ root, into: join(dir, "again"), providers: " aws,aws" });
    for (const file of await readdir(join(dir, "aws")))
      expect((await textOf("again", file)) === (await textOf("aws", file)), file).toBe(true);
  });

  it("says which packages and licences are in it, and no path of this machine", async () => {
    const sbom = JSON.parse(await textOf("aws", "cloud-api-adaptor.cdx.json")) as {
      components: readonly { purl: string; licenses: readonly unknown[] }[];
      metadata: object;
    };
    const purls = sbom.components.map(({ purl }) => decodeURIComponent(purl));
    expect(purls).toContainEqual(expect.stringMatching(/^pkg:npm\/@aws-sdk\/client-ec2@\d/));
    expect(purls).toContainEqual(expect.stringMatching(/^pkg:npm\/@peerpods\/cloud-providers@\d/));
    expect(purls.filter((purl) => purl.includes("libvirt"))).toEqual([]);
    expect(sbom.components.filter(({ licenses }) => licenses.length === 0)).toEqual([]);
    expect(sbom.metadata).not.toHaveProperty("timestamp");
    const licences = await textOf("aws", "cloud-api-adaptor.licences.txt");
    expect(licences).toMatch(/^pino \d+\.\d+\.\d+ \(MIT\)$/m);
    expect(licences).toContain("Permission is hereby granted");
    for (const file of await readdir(join(dir, "aws")))
      expect((await textOf("aws", file)).includes(root), file).toBe(false);
  });

  it("runs where nothing else is installed", async () => {
    const run = (file: string, ...args: readonly string[]) =>
      execa(process.execPath, [join(dir, "aws", file), ...args], {
        cwd: dir,
        env: {},
        extendEnv: false,
        reject: false,
      });
    const version = await run("cloud-api-adaptor.mjs", "version");
    expect(version.stdout).toMatch(
      /^cloud-api-adaptor version \d.*\n.*\n.*\n {2}cloud-providers: \d.*\n {2}peerpod-ctrl: \d/,
    );
    const help = await run("cloud-api-adaptor.mjs", "aws", "-help");
    expect(help.stderr).toContain("-aws-region");
    const unknown = await run("cloud-api-adaptor.mjs", "libvirt", "-help");
    expect(unknown.stderr).toMatch(/libvirt.*known.*aws|aws.*@peerpods\/provider-libvirt/s);
    for (const file of ["peerpods.mjs", "agent-relay.mjs", "agent-protocol-forwarder.mjs"])
      expect(await run(file, "--version")).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/\d+\.\d+\.\d+/),
      });
    expect(await run("peerpod-ctrl.mjs", "version")).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["aws,gpc", /^unknown provider gpc; known are: aws, .*libvirt/],
    [" , ", /^PROVIDERS names no provider; known are: aws/],
  ])("is not made for PROVIDERS=%j, and what was there stays", async (providers, says) => {
    await expect(writeBundle({ root, into: join(dir, "aws"), providers })).rejects.toThrow(says);
    expect(await readdir(join(dir, "aws"))).toContain("cloud-api-adaptor.mjs");
  });
});
