import { isProviderError, loadOptions, redactOptions } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import { awsConfig, type AwsConfig } from "./config.ts";
import { awsOptions } from "./options.ts";

const image = "ami-0123456789abcdef0";

function values(env: Readonly<Record<string, string>>, argv: readonly string[] = []) {
  const loaded = loadOptions(awsOptions, { argv, env });
  if ("help" in loaded) throw new Error("no help was asked for");
  return loaded.values;
}

function problemsOf(env: Readonly<Record<string, string>>): string {
  try {
    awsConfig(values(env));
    return "";
  } catch (error) {
    return isProviderError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

describe("options", () => {
  it("have the defaults of the reference", () => {
    const config = awsConfig(values({ PODVM_AMI_ID: image }));
    expect(config).toMatchObject({
      image,
      instanceType: "m6a.large",
      launchTemplate: "",
      confidential: true,
      publicAddress: false,
      rootVolume: { sizeGiB: 30, type: "", encrypted: false, kmsKey: "" },
      metadata: { httpTokens: "required", hopLimit: 1 },
      tags: {},
    } satisfies Partial<AwsConfig>);
  });

  it("take every variable that an existing configuration has", () => {
    const config = awsConfig(
      values({
        AWS_ACCESS_KEY_ID: "AKIA",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_SESSION_TOKEN: "token",
        AWS_REGION: "eu-central-1",
        PODVM_AMI_ID: image,
        PODVM_INSTANCE_TYPE: "c6a.large",
        PODVM_INSTANCE_TYPES: "c6a.large,c6a.xlarge",
        PODVM_LAUNCHTEMPLATE_NAME: "pods",
        USE_PODVM_LAUNCHTEMPLATE: "true",
        SSH_KP_NAME: "key",
        AWS_SUBNET_ID: "subnet-0123456789abcdef0",
        AWS_SG_IDS: "sg-0123456789abcdef0,sg-0123456789abcdef1",
        USE_PUBLIC_IP: "1",
        ROOT_VOLUME_SIZE: "0",
        DISABLECVM: "true",
        TAGS: "owner=me,cost=7",
      }),
    );
    expect(config).toMatchObject({
      credentials: { accessKeyId: "AKIA", secretAccessKey: "secret", sessionToken: "token" },
      region: "eu-central-1",
      instanceType: "c6a.large",
      instanceTypes: ["c6a.large", "c6a.xlarge"],
      launchTemplate: "pods",
      keyName: "key",
      subnet: "subnet-0123456789abcdef0",
      securityGroups: ["sg-0123456789abcdef0", "sg-0123456789abcdef1"],
      publicAddress: true,
      confidential: false,
      rootVolume: { sizeGiB: 0 },
      tags: { owner: "me", cost: "7" },
    });
  });

  it("let the flag win", () => {
    const loaded = values({ PODVM_AMI_ID: image, AWS_REGION: "a" }, ["-aws-region=b", "--tags", "k=v"]);
    expect(awsConfig(loaded)).toMatchObject({ region: "b", tags: { k: "v" } });
  });

  it("hide every secret, and leave the original alone", () => {
    const loaded = values({
      AWS_ACCESS_KEY_ID: "AKIA",
      AWS_SECRET_ACCESS_KEY: "s",
      AWS_HTTP_PROXY: "http://u:p@h",
    });
    const shown = redactOptions(awsOptions, loaded);
    for (const flag of ["aws-access-key-id", "aws-secret-key", "aws-session-token", "aws-http-proxy"])
      expect(shown[flag]).toBe("**********");
    expect(loaded["aws-secret-key"]).toBe("s");
  });

  it("need no image with a launch template", () => {
    expect(problemsOf({ USE_PODVM_LAUNCHTEMPLATE: "true" })).toBe("");
  });
});

describe("bad options are refused together, by name", () => {
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["no image", {}, /^invalid_config: imageid \(PODVM_AMI_ID\): missing/],
    ["a malformed image", { PODVM_AMI_ID: "ami-;id" }, /imageid: "ami-;id" is not of the form/],
    ["a malformed subnet", { AWS_SUBNET_ID: "subnet-$(id)" }, /subnetid: "subnet-\$\(id\)"/],
    ["a malformed group", { AWS_SG_IDS: "sg-0123456789abcdef0,default" }, /securitygroupids: "default"/],
    ["a malformed region", { AWS_REGION: "eu central/1" }, /aws-region: "eu central\/1"/],
    ["a malformed type", { PODVM_INSTANCE_TYPES: "m6a.large,large" }, /instance-types: "large"/],
    ["a zone without subnet", { AWS_ZONE_SUBNETS: "a=b" }, /zone-subnets: "b"/],
    ["an endpoint that is no URL", { AWS_ENDPOINT_URL_EC2: "ec2" }, /aws-endpoint .*not an http/],
    [
      "a proxy that is no URL",
      { AWS_HTTP_PROXY: "socks5://u:secret@h" },
      /aws-http-proxy .*not an http or https URL$/m,
    ],
    ["a price that is none", { SPOT_MAX_PRICE: "cheap" }, /spot-max-price: "cheap"/],
    ["a key without encryption", { ROOT_VOLUME_KMS_KEY: "k" }, /root-volume-kms-key: needs/],
    ["a tag of Amazon's", { TAGS: "aws:x=1" }, /tags \(TAGS\): "aws:x"/],
    ["a tag of ours", { TAGS: "peerpods-token=1" }, /"peerpods-token": this key is set by us/],
    ["a long key", { TAGS: `${"k".repeat(129)}=1` }, /the key is over 128/],
    ["a long value", { TAGS: `k=${"v".repeat(257)}` }, /the value is over 256/],
    [
      "too many tags",
      { TAGS: Array.from({ length: 43 }, (_, index) => `k${index}=v`).join() },
      /43 are too many/,
    ],
  ])("%s", (_what, env, message) => {
    expect(problemsOf(env)).toMatch(message);
  });

  it("all in one error, without the secrets", () => {
    const problems = problemsOf({ AWS_SUBNET_ID: "x", AWS_SG_IDS: "y", AWS_HTTP_PROXY: "ftp://u:secret@h" });
    expect(problems.split("\n")).toHaveLength(4);
    expect(problems).not.toContain("secret@h");
  });
});
