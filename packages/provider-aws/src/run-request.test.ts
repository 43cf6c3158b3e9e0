import { isProviderError, loadOptions } from "@peerpods/cloud-providers";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { describe, expect, it } from "vitest";
import { awsConfig } from "./config.ts";
import { awsOptions } from "./options.ts";
import { runRequest } from "./run-request.ts";
import type { Settings } from "./settings.ts";
import { literal, partToken, tagsFor } from "./tags.ts";
import { attachedVolumesOf, deviceName, MAX_VOLUMES } from "./volumes.ts";
import { addressesOf, SECOND_INTERFACE } from "./instances.ts";

const settings: Settings = {
  region: "us-east-1",
  subnets: new Map([
    ["a", "subnet-a"],
    ["b", "subnet-b"],
  ]),
  securityGroups: ["sg-1", "sg-2"],
  keyName: "",
};
const image = { id: "ami-0123456789abcdef0", rootDevice: "/dev/xvda", rootSizeGiB: 40, arch: "amd64" };

function run(env: Readonly<Record<string, string>> = {}, change: Parameters<typeof testRequest>[0] = {}) {
  const loaded = loadOptions(awsOptions, { argv: [], env: { PODVM_AMI_ID: image.id, ...env } });
  const config = awsConfig("values" in loaded ? loaded.values : {});
  const request = testRequest(change);
  const placement = { instanceType: "m6a.large", zone: "b" };
  return runRequest(request, { config, settings, placement, image, tags: tagsFor(request, config.tags) });
}

describe("the call that makes a pod VM", () => {
  it("says all that the reference says, and more", () => {
    const request = testRequest();
    expect(run({ TAGS: "owner=me" })).toEqual({
      MinCount: 1,
      MaxCount: 1,
      ClientToken: request.token,
      UserData: Buffer.from("#cloud-config\n").toString("base64"),
      ImageId: image.id,
      InstanceType: "m6a.large",
      InstanceInitiatedShutdownBehavior: "terminate",
      SubnetId: "subnet-b",
      SecurityGroupIds: ["sg-1", "sg-2"],
      CpuOptions: { AmdSevSnp: "enabled" },
      MetadataOptions: { HttpEndpoint: "enabled", HttpTokens: "required", HttpPutResponseHopLimit: 1 },
      // The image's root volume is larger than the 30 GiB that are configured.
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { DeleteOnTermination: true, VolumeSize: 40 } }],
      TagSpecifications: ["instance", "volume", "network-interface"].map((ResourceType) => ({
        ResourceType,
        Tags: Object.entries({ Name: request.name, owner: "me", ...request.tags }).map(([Key, Value]) => ({
          Key,
          Value,
        })),
      })),
    });
  });

  it("is the same when the same request is repeated", () => {
    expect(JSON.stringify(run())).toBe(JSON.stringify(run()));
  });

  it.each<[string, Readonly<Record<string, string>>, object]>([
    ["no confidential VM", { DISABLECVM: "true" }, { CpuOptions: undefined }],
    [
      "a public address",
      { USE_PUBLIC_IP: "true" },
      {
        SubnetId: undefined,
        SecurityGroupIds: undefined,
        NetworkInterfaces: [
          {
            DeviceIndex: 0,
            SubnetId: "subnet-b",
            Groups: ["sg-1", "sg-2"],
            AssociatePublicIpAddress: true,
            DeleteOnTermination: true,
          },
        ],
      },
    ],
    [
      "the image's root volume, which goes with the instance all the same",
      { ROOT_VOLUME_SIZE: "-1" },
      { BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { DeleteOnTermination: true } }] },
    ],
    [
      "an encrypted root volume",
      {
        ROOT_VOLUME_SIZE: "0",
        ROOT_VOLUME_ENCRYPTED: "true",
        ROOT_VOLUME_KMS_KEY: "k",
        ROOT_VOLUME_TYPE: "gp3",
      },
      {
        BlockDeviceMappings: [
          {
            DeviceName: "/dev/xvda",
            Ebs: { DeleteOnTermination: true, VolumeType: "gp3", Encrypted: true, KmsKeyId: "k" },
          },
        ],
      },
    ],
    [
      "metadata for the pod",
      { AWS_IMDS_HTTP_TOKENS: "optional", AWS_IMDS_HOP_LIMIT: "2" },
      { MetadataOptions: { HttpEndpoint: "enabled", HttpTokens: "optional", HttpPutResponseHopLimit: 2 } },
    ],
    ["an instance profile", { AWS_IAM_INSTANCE_PROFILE: "p" }, { IamInstanceProfile: { Name: "p" } }],
    [
      "spot machines",
      { USE_SPOT_INSTANCES: "true", SPOT_MAX_PRICE: "0.05" },
      {
        InstanceMarketOptions: {
          MarketType: "spot",
          SpotOptions: {
            SpotInstanceType: "one-time",
            InstanceInterruptionBehavior: "terminate",
            MaxPrice: "0.05",
          },
        },
      },
    ],
  ])("with %s", (_what, env, expected) => {
    expect({ ...run(env), ...expected }).toEqual(run(env));
  });

  it("leaves everything to a launch template, except what the pod wishes", () => {
    const env = { USE_PODVM_LAUNCHTEMPLATE: "true" };
    expect(Object.keys(run(env)).toSorted()).toEqual([
      "BlockDeviceMappings",
      "ClientToken",
      "LaunchTemplate",
      "MaxCount",
      "MinCount",
      "TagSpecifications",
      "UserData",
    ]);
    expect(run(env, { spec: { image: "ami-1", instanceType: "m6a.large", spot: true } })).toMatchObject({
      ImageId: "ami-1",
      InstanceType: "m6a.large",
      InstanceMarketOptions: { MarketType: "spot" },
    });
  });

  it("takes user data of 16 KiB, and not a byte more", () => {
    expect(run({}, { userData: "x".repeat(16_384) }).UserData).toHaveLength(21_848);
    expect(() => run({}, { userData: "x".repeat(16_385) })).toThrow(
      /16385 bytes, but EC2 UserData takes 16384/,
    );
  });

  it("refuses a zone that has no subnet", () => {
    const request = testRequest();
    const loaded = loadOptions(awsOptions, { argv: [], env: { PODVM_AMI_ID: image.id } });
    const config = awsConfig("values" in loaded ? loaded.values : {});
    const placement = { instanceType: "m6a.large", zone: "c" };
    const refused = (() => {
      try {
        return runRequest(request, { config, settings, placement, image, tags: {} });
      } catch (error) {
        return error;
      }
    })();
    expect(isProviderError(refused) && refused.code).toBe("invalid_request");
    expect(String(refused)).toContain('zone "c" has no subnet in zone-subnets; there are a, b');
  });
});

describe("names", () => {
  it("of devices go on behind z", () => {
    const names = [0, 24, 25, 26, 50, 51, 76].map(deviceName);
    expect(names.map((name) => name.replace("/dev/xvd", ""))).toEqual([
      "b",
      "z",
      "ba",
      "bb",
      "bz",
      "ca",
      "cz",
    ]);
    expect(new Set(Array.from({ length: MAX_VOLUMES }, (_, index) => deviceName(index))).size).toBe(
      MAX_VOLUMES,
    );
  });

  it("of parts fit into a client token, and differ", () => {
    const long = "t".repeat(64);
    expect(partToken("abc", "nic")).toBe("abc-nic");
    expect(partToken(long, "nic")).toHaveLength(64);
    expect(partToken(long, "nic")).not.toBe(partToken(`${long.slice(1)}u`, "nic"));
  });

  it("in filters are taken literally", () => {
    expect(literal(String.raw`a*b?c\d`)).toBe(String.raw`a\*b\?c\\d`);
  });
});

describe("what EC2 tells of an instance", () => {
  const card = (index: number, change: object = {}) => ({
    PrivateIpAddress: `10.0.0.${index}`,
    Attachment: { DeviceIndex: index },
    Association: { PublicIp: `192.0.2.${index}` },
    ...change,
  });

  it("gives addresses by index, the public one first where it is wished for", () => {
    const instance = { NetworkInterfaces: [card(1), card(0)] };
    expect(addressesOf(instance, { publicAddress: false })).toEqual(["10.0.0.0", "10.0.0.1"]);
    expect(addressesOf(instance, { publicAddress: true })).toEqual(["192.0.2.0", "10.0.0.1"]);
  });

  it("leaves out the interface for the pod's own traffic", () => {
    const instance = { NetworkInterfaces: [card(0), card(1, { Description: SECOND_INTERFACE })] };
    expect(addressesOf(instance, { publicAddress: false })).toEqual(["10.0.0.0"]);
  });

  it.each([
    ["no interface", []],
    ["no address", [card(0, { PrivateIpAddress: undefined })]],
    ["an empty address", [card(0, { PrivateIpAddress: "" })]],
    ["0.0.0.0", [card(0, { PrivateIpAddress: "0.0.0.0" })]],
    ["one of two", [card(0, { PrivateIpAddress: undefined }), card(1)]],
  ])("is not ready with %s", (_what, NetworkInterfaces) => {
    expect(addressesOf({ NetworkInterfaces }, { publicAddress: false })).toEqual([]);
  });

  it("is not ready without the public address", () => {
    const instance = { NetworkInterfaces: [card(0, { Association: undefined })] };
    expect(addressesOf(instance, { publicAddress: true })).toEqual([]);
  });

  it("gives data volumes in the order of their devices", () => {
    const device = (DeviceName: string, VolumeId: string, DeleteOnTermination = false) => ({
      DeviceName,
      Ebs: { VolumeId, DeleteOnTermination },
    });
    expect(
      attachedVolumesOf({
        RootDeviceName: "/dev/xvda",
        BlockDeviceMappings: [
          device("/dev/xvdba", "v3"),
          device("/dev/xvdc", "v2"),
          device("/dev/xvda", "root", true),
          device("/dev/xvdb", "v1"),
          device("/dev/sdf", "of the image", true),
        ],
      }).map(({ diskId }) => diskId),
    ).toEqual(["v1", "v2", "v3"]);
  });
});
