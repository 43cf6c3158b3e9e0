import { createHash } from "node:crypto";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { standInKey } from "@peerpods/aws-stand-in";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { standInEnv } from "./testing/connect.ts";
import { describeWithEc2 } from "./testing/stand-in-suite.ts";

const root = join(import.meta.dirname, "../../..");
const programs = join(root, "packages/cloud-api-adaptor/src");

await describeWithEc2("tool and daemon, with this provider as a plug-in file", (suite) => {
  let directory = "";
  let pluginEnv: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ppa-"));
    const entry = join(import.meta.dirname, "index.ts");
    await execa(process.execPath, [join(root, "scripts/bundle.ts"), entry], { cwd: directory });
    const plugin = join(directory, "bundle/aws.mjs");
    await rename(join(directory, "bundle/index.mjs"), plugin);
    pluginEnv = {
      ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN: "true",
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_PATH: plugin,
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_HASH: createHash("sha256")
        .update(await readFile(plugin))
        .digest("hex"),
    };
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const run = async (
    program: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) => {
    const { standIn, account } = suite();
    const result = await execa(
      process.execPath,
      ["--conditions=@peerpods/source", join(programs, program), ...argv],
      {
        env: { PATH: process.env["PATH"], ...standInEnv(standIn, account), ...pluginEnv, ...env },
        extendEnv: false,
        reject: false,
        timeout: 90_000,
      },
    );
    expect(`${result.stdout}${result.stderr}`).not.toContain(standInKey.secret);
    return result;
  };
  /** What `peerpods doctor aws` finds with the provider; what it finds on this machine is not looked at. */
  const doctor = async (env: Readonly<Record<string, string>> = {}) => {
    const { stdout } = await run("peerpods.ts", ["--json", "doctor", "aws"], env);
    const { areas } = JSON.parse(stdout) as {
      areas: readonly { readonly area: string; readonly findings: readonly unknown[] }[];
    };
    return areas.find(({ area }) => area === "provider aws")?.findings;
  };

  it("is listed with its contract", async () => {
    const { stdout } = await run("peerpods.ts", ["providers"]);
    expect(stdout).toMatch(/^aws +plug-in +1\.\d+ +Pod VMs on Amazon EC2$/m);
  });

  it("doctor asks EC2, and has nothing to say of what works", async () => {
    suite().standIn.calls.length = 0;
    expect(await doctor()).toEqual([]);
    const asked = new Set(suite().standIn.calls.map(({ action }) => action));
    expect([...asked]).toEqual(
      expect.arrayContaining([
        ...["DescribeInstanceTypes", "DescribeImages", "DescribeSubnets", "DescribeSecurityGroups"],
        ...["GetServiceQuota", "RunInstances"],
      ]),
    );
  });

  it.each([
    ["an image that does not exist", { PODVM_AMI_ID: "ami-0123456789abcdef0" }, "imageid"],
    ["keys of nobody", { AWS_ACCESS_KEY_ID: "AKIANOBODY" }, "credentials"],
    ["a group that does not exist", { AWS_SG_IDS: "sg-0123456789abcdef0" }, "securitygroupids"],
  ])("doctor says what is wrong with %s, and what to do", async (_what, env, subject) => {
    expect(await doctor(env)).toContainEqual({
      severity: "error",
      subject,
      message: expect.stringMatching(/./) as string,
      remedy: expect.stringMatching(/./) as string,
    });
  });

  it("the daemon that is to verify its configuration does not start with one that cannot work", async () => {
    const state = `-state-dir=${join(directory, "state")}`;
    const argv = ["aws", "-cloud-config-verify=true", state, `-socket=${join(directory, "h.sock")}`];
    const { exitCode, stderr } = await run("main.ts", argv, { AWS_SUBNET_ID: "subnet-0123456789abcdef0" });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("subnetid: subnet subnet-0123456789abcdef0 does not exist; name one that does");
  });
});
