import { loadOptions, type ProviderError } from "@peerpods/cloud-providers";
import { expect, it } from "vitest";
import { ibmcloudConfig } from "./config.ts";
import { ibmcloudOptions } from "./options.ts";

const id = (number: number) => `r910-5a7e0000-0000-4000-8000-${String(number).padStart(12, "0")}`;

function config(env: Readonly<Record<string, string>>, argv: readonly string[] = []) {
  const loaded = loadOptions(ibmcloudOptions, {
    argv,
    env: {
      IBMCLOUD_API_KEY: "key",
      IBMCLOUD_PODVM_IMAGE_ID: id(1),
      IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: "bx2-2x8",
      ...env,
    },
  });
  if ("help" in loaded) throw new Error("no help was asked for");
  return ibmcloudConfig(loaded.values);
}

it("takes an existing configuration as it is", () => {
  expect(
    config({
      IBMCLOUD_IAM_ENDPOINT: "https://iam.test.cloud.ibm.com/identity/token",
      IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST: "bx2-2x8, bz2e-2x8",
      IBMCLOUD_SECURITY_GROUP_IDS: `${id(2)},${id(3)}`,
      TAGS: "team:payments, stage:prod",
    }),
  ).toMatchObject({
    connection: { iamUrl: "https://iam.test.cloud.ibm.com" },
    profile: "bx2-2x8",
    profiles: ["bx2-2x8", "bz2e-2x8"],
    confidential: false,
    securityGroups: [id(2), id(3)],
    tags: ["team:payments", "stage:prod"],
  });
});

it("takes the first of the list when no profile is named", () => {
  expect(
    config({
      IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: "",
      IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST: "bz2-2x8,bx2-2x8",
    }).profile,
  ).toBe("bz2-2x8");
});

it.each([
  ["no credentials", { IBMCLOUD_API_KEY: "" }, /api-key \(IBMCLOUD_API_KEY\) or iam-profile-id/],
  ["an image that is a path", { IBMCLOUD_PODVM_IMAGE_ID: "../../etc" }, /image-id: "\.\.\/\.\.\/etc"/],
  ["a zone that is none", { IBMCLOUD_ZONE: "eu-de" }, /zone-name: "eu-de"/],
  ["a URL that is none", { IBMCLOUD_VPC_ENDPOINT: "eu-de" }, /vpc-service-url \(IBMCLOUD_VPC_ENDPOINT\)/],
  ["a tag of ours", { TAGS: "peerpods-cluster:x" }, /peerpods-cluster:x.*set by us/],
  ["a tag that IBM Cloud refuses", { TAGS: "team=payments" }, /tags: "team=payments"/],
])("%s", (_what, env, message) => {
  expect(() => config(env)).toThrow(message);
});

it("says all that is wrong at once, and not the key", () => {
  const failure = (() => {
    try {
      config({ IBMCLOUD_API_KEY: "", IBMCLOUD_ZONE: "x", IBMCLOUD_VPC_SUBNET_ID: "$(id)" }, [
        "-secondary-subnet-id",
        id(5),
      ]);
    } catch (error) {
      return error as ProviderError;
    }
    throw new Error("it was taken");
  })();
  expect(failure.code).toBe("invalid_config");
  expect(failure.message.split("\n")).toHaveLength(4);
});
