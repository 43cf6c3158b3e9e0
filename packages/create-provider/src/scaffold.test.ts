import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  conforms,
  reportMarkdown,
  runConformance,
  type ConformanceTarget,
} from "@peerpods/cloud-providers/conformance";
import { afterEach, beforeEach, expect, it } from "vitest";
import { scaffold } from "./scaffold.ts";

// Beside the sources: there Node and vitest find the contract, as they would in an installed package.
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(import.meta.dirname, "../scaffolded-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

it("passes the conformance kit as it is written, under a name of its own", { timeout: 120_000 }, async () => {
  await scaffold({ name: "my-cloud", dir: home });
  const { prepareTarget } = (await import(join(home, "src/testing/target.ts"))) as {
    prepareTarget: () => Promise<{ target: ConformanceTarget; dispose: () => Promise<void> }>;
  };
  const { target, dispose } = await prepareTarget();
  try {
    const report = await runConformance(target);
    expect(report.provider).toBe("my-cloud");
    expect(report.results.filter(({ status }) => status === "failed")).toEqual([]);
    expect(conforms(report), reportMarkdown(report)).toBe(true);
    expect(report.left).toEqual([]);
  } finally {
    await dispose();
  }
});

it("is a package for the registry where it stands alone, and one of the workspace beside the contract", async () => {
  await scaffold({ name: "my-cloud", dir: join(home, "alone") });
  expect(JSON.parse(await readFile(join(home, "alone/package.json"), "utf8"))).toMatchObject({
    name: "@peerpods/provider-my-cloud",
    peerDependencies: { "@peerpods/cloud-providers": expect.stringMatching(/^\^\d+\.\d+\.\d+/) },
  });
  await mkdir(join(home, "cloud-providers/src"), { recursive: true });
  await writeFile(join(home, "cloud-providers/src/contract.ts"), "");
  await scaffold({ name: "my-cloud", dir: join(home, "provider-my-cloud") });
  expect(JSON.parse(await readFile(join(home, "provider-my-cloud/package.json"), "utf8"))).toMatchObject({
    peerDependencies: { "@peerpods/cloud-providers": "workspace:^" },
    devDependencies: { vitest: "catalog:" },
  });
  const options = await readFile(join(home, "provider-my-cloud/src/options.ts"), "utf8");
  expect(options).toContain('env: "MY_CLOUD_API_KEY"');
  expect(options).not.toMatch(/acme/i);
});

it.each(["", "A", "x", "my_cloud", "../x", "a".repeat(40)])("refuses the name %j", async (name) => {
  await expect(scaffold({ name, dir: join(home, "new") })).rejects.toThrow(/named by small letters/);
});

it("leaves a directory alone that is not empty", async () => {
  await writeFile(join(home, "mine"), "");
  await expect(scaffold({ name: "my-cloud", dir: home })).rejects.toThrow(/is not empty/);
});
