import { inspect } from "node:util";
import { createCallPolicy, silentLogger, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { standInKey } from "@peerpods/aws-stand-in";
import { beforeEach, describe, expect, it } from "vitest";
import { census } from "./testing/aws-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithEc2 } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
/** What is wrong stays wrong, so nothing is repeated. */
const once = createCallPolicy({
  scope: "aws stand-in",
  bucket: { capacity: 10_000, refillPerSecond: 1_000 },
  retry: { maxTries: 1, baseMs: 1, maxMs: 1 },
});
const none = "0123456789abcdef0";

await describeWithEc2("bad input", (suite) => {
  const provider = (env: Readonly<Record<string, string>> = {}) =>
    connect(suite().standIn, suite().account, { effects: { pollMs: 5, policy: once }, env });
  let before: readonly string[] = [];

  beforeEach(async () => {
    before = await census(suite().standIn);
    suite().standIn.calls.length = 0;
  });

  describe("in a request is refused, and nothing is made", () => {
    it.each<[string, string, (request: CreateInstanceRequest) => CreateInstanceRequest]>([
      [
        "user data one byte over the limit",
        "invalid_request",
        (request) => ({ ...request, userData: "x".repeat(16_385) }),
      ],
      [
        "an unknown image",
        "not_found",
        (request) => ({ ...request, spec: { ...request.spec, image: `ami-${none}` } }),
      ],
      [
        "an image with shell characters",
        "invalid_request",
        (request) => ({ ...request, spec: { ...request.spec, image: "ami-$(id)" } }),
      ],
      [
        "a type that is not allowed",
        "invalid_request",
        (request) => ({ ...request, spec: { ...request.spec, instanceType: "m6a.24xlarge" } }),
      ],
      [
        "more GPUs than there are",
        "invalid_request",
        (request) => ({ ...request, spec: { ...request.spec, gpus: 9 } }),
      ],
      [
        "an unknown zone",
        "invalid_request",
        (request) => ({ ...request, placement: { instanceType: "m6a.large", zone: "mars-1a" } }),
      ],
      [
        "a placement of another type",
        "invalid_request",
        (request) => ({ ...request, placement: { instanceType: "p4d.24xlarge", zone: "" } }),
      ],
      [
        "an unknown volume",
        "not_found",
        (request) => ({ ...request, spec: { ...request.spec, volumes: [{ diskId: `vol-${none}` }] } }),
      ],
      [
        "a volume with URL characters",
        "invalid_request",
        (request) => ({ ...request, spec: { ...request.spec, volumes: [{ diskId: "vol-1/../x?y" }] } }),
      ],
    ])("%s: %s", async (_what, code, change) => {
      const aws = await provider();
      await expect(aws.createInstance(change(testRequest()), call())).rejects.toMatchObject({ code });
      expect(await census(suite().standIn)).toEqual(before);
      expect(suite().standIn.calls.map(({ action }) => action)).not.toContain("RunInstances");
    });

    it("a volume that is attached elsewhere is named with its holder", async () => {
      const aws = await provider();
      const spec = { volumes: [{ diskId: suite().account.volumes[0] ?? "" }] };
      const holder = testRequest({ sandboxId: "holder".padEnd(64, "0"), spec });
      const { id } = await aws.createInstance(holder, call());
      await expect(aws.createInstance(testRequest({ spec }), call())).rejects.toMatchObject({
        code: "invalid_request",
        message: expect.stringContaining(`attached to ${id}`) as string,
      });
      await aws.deleteInstance({ instanceId: id, token: holder.token, tags: holder.tags }, call());
      expect(await census(suite().standIn)).toEqual(before);
    });

    it("a tag that EC2 refuses", async () => {
      const aws = await provider();
      const request = testRequest();
      await expect(
        aws.createInstance({ ...request, tags: { ...request.tags, "aws:mine": "x" } }, call()),
      ).rejects.toMatchObject({ code: "invalid_request" });
      expect(await census(suite().standIn)).toEqual(before);
    });
  });

  describe("in a deletion", () => {
    it.each([
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
      "192.0.2.7",
      "i-$(reboot)",
      "i-0123456789abcdef0&Action=TerminateInstances",
      "i-*",
      "",
    ])("the id %j is refused", async (instanceId) => {
      const aws = await provider();
      await expect(aws.deleteInstance({ instanceId, tags: {} }, call())).rejects.toMatchObject({
        code: "invalid_request",
      });
      expect(suite().standIn.calls).toEqual([]);
    });

    it("an id that is not the token's is a conflict, and its instance stays", async () => {
      const aws = await provider();
      const request = testRequest();
      const { id } = await aws.createInstance(request, call());
      const other = testRequest({ sandboxId: "other".padEnd(64, "0") });
      await expect(
        aws.deleteInstance({ instanceId: id, token: other.token, tags: {} }, call()),
      ).rejects.toMatchObject({ code: "conflict" });
      expect(await aws.getInstance({ instanceId: id }, call())).toMatchObject({ id });
      await aws.deleteInstance({ instanceId: id, tags: request.tags }, call());
      expect(await census(suite().standIn)).toEqual(before);
    });
  });

  describe("in the configuration is a finding with its subject", () => {
    it.each<[string, Readonly<Record<string, string>>, string]>([
      ["an unknown image", { PODVM_AMI_ID: `ami-${none}` }, "imageid"],
      ["an unknown type", { PODVM_INSTANCE_TYPE: "x0.nano" }, "instance-type"],
      ["a type without SEV-SNP", { PODVM_INSTANCE_TYPE: "t3.micro" }, "instance-type"],
      ["an unknown subnet", { AWS_SUBNET_ID: `subnet-${none}` }, "subnetid"],
      ["an unknown group", { AWS_SG_IDS: `sg-${none}` }, "securitygroupids"],
      ["an unknown key pair", { SSH_KP_NAME: "nobody" }, "RunInstances"],
      ["an unknown instance profile", { AWS_IAM_INSTANCE_PROFILE: "nobody" }, "RunInstances"],
      [
        "an unknown template",
        { USE_PODVM_LAUNCHTEMPLATE: "true", PODVM_LAUNCHTEMPLATE_NAME: "nobody" },
        "aws-lt-name",
      ],
      ["no region", { AWS_REGION: "" }, "aws-region"],
      ["nobody at the endpoint", { AWS_ENDPOINT_URL_EC2: "http://127.0.0.1:1" }, "aws-endpoint"],
      ["an unknown region", { AWS_REGION: "mars-north-1", AWS_ENDPOINT_URL_EC2: "" }, "aws-endpoint"],
    ])("%s", async (_what, env, subject) => {
      const aws = await provider(env);
      const findings = await aws.configVerifier(call());
      expect(findings).toContainEqual(expect.objectContaining({ severity: "error", subject }));
      for (const { remedy } of findings) expect(remedy).not.toBe("");
      expect(inspect(findings)).not.toContain(standInKey.secret);
      expect(await census(suite().standIn)).toEqual(before);
    });

    it("a zone in front of the wrong subnet, with the one it is in", async () => {
      const [a, b] = suite().account.zones;
      const aws = await provider({ AWS_ZONE_SUBNETS: `${a?.zone}=${b?.subnet}` });
      expect(await aws.configVerifier(call())).toEqual([
        expect.objectContaining({
          subject: "zone-subnets",
          message: `subnet ${b?.subnet} is in zone ${b?.zone}, not in ${a?.zone}`,
        }),
      ]);
    });

    it("an image for other machines, and types that are never used", async () => {
      const arm = await provider({ PODVM_AMI_ID: suite().account.armImage });
      expect(await arm.configVerifier(call())).toContainEqual(
        expect.objectContaining({ severity: "error", subject: "imageid" }),
      );
      const mixed = await provider({ PODVM_INSTANCE_TYPES: "m6a.large,t3.large" });
      expect(await mixed.configVerifier(call())).toEqual([
        expect.objectContaining({ severity: "warning", subject: "instance-types" }),
      ]);
    });

    it("a vCPU quota without room: an error where no pod VM can ever fit, else a warning", async () => {
      const { standIn } = suite();
      const { values } = standIn.quotas;
      const usual = values.get("L-1216C47A") ?? 0;
      const aws = await provider({ PODVM_INSTANCE_TYPE: "m6a.xlarge" });
      try {
        values.set("L-1216C47A", 3);
        const remedy = expect.stringContaining("L-1216C47A") as string;
        expect(await aws.configVerifier(call())).toEqual([
          expect.objectContaining({ severity: "error", subject: "quota", remedy }),
        ]);
        values.set("L-1216C47A", 7);
        expect(await aws.configVerifier(call())).toEqual([]);
        const sandboxId = "quota".padEnd(64, "0");
        const { id } = await aws.createInstance(testRequest({ sandboxId }), call());
        expect(await aws.configVerifier(call())).toEqual([
          expect.objectContaining({ severity: "warning", subject: "quota", remedy }),
        ]);
        await aws.deleteInstance({ instanceId: id, tags: {} }, call());
        expect(await aws.configVerifier(call())).toEqual([]);
      } finally {
        values.set("L-1216C47A", usual);
      }
    });

    it("nothing is found where nothing is wrong", async () => {
      expect(await (await provider()).configVerifier(call())).toEqual([]);
    });
  });
});
