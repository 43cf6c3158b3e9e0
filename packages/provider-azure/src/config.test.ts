import { standInIds, standInImages } from "@peerpods/azure-stand-in";
import { describe, expect, it } from "vitest";
import { azureConfig } from "./config.ts";
import { loadedOptions } from "./testing/options.ts";

const subnet = `/subscriptions/${standInIds.subscription}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/cluster/subnets/pods`;
const env = {
  AZURE_SUBSCRIPTION_ID: standInIds.subscription,
  AZURE_REGION: "West Europe",
  AZURE_RESOURCE_GROUP: "peer-pods",
  AZURE_SUBNET_ID: subnet,
  AZURE_IMAGE_ID: standInImages.good,
};
const configOf = (change: Readonly<Record<string, string>> = {}, home = {}) =>
  azureConfig(loadedOptions({ ...env, ...change }), home);

describe("options of the Azure provider", () => {
  it("keep the reference's defaults", () => {
    expect(configOf()).toMatchObject({
      region: "westeurope",
      size: "Standard_DC2as_v5",
      confidential: true,
      secureBoot: false,
      publicAddress: false,
      zones: [],
      rootDisk: { sizeGiB: 0, type: "Premium_LRS" },
      ssh: { user: "peerpod", keyPath: "" },
      connection: {
        endpoint: "https://management.azure.com",
        authorityHost: "https://login.microsoftonline.com",
        knownAuthority: true,
      },
    });
  });

  it.each<[string, Readonly<Record<string, string>>, object]>([
    ["one zone", { AZURE_ZONE: "3" }, { zones: ["3"] }],
    ["several zones win over the single one", { AZURE_ZONE: "3", AZURE_ZONES: "1,2" }, { zones: ["1", "2"] }],
    [
      "the cloud in China",
      { AZURE_CLOUD: "china" },
      {
        connection: {
          endpoint: "https://management.chinacloudapi.cn",
          scope: "https://management.chinacloudapi.cn/.default",
        },
      },
    ],
    [
      "the authority as AKS writes it",
      { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com/" },
      { connection: { knownAuthority: true } },
    ],
    [
      "an authority of one's own",
      { AZURE_AUTHORITY_HOST: "https://login.example" },
      { connection: { knownAuthority: false, scope: "https://management.azure.com/.default" } },
    ],
    [
      "a key file below the home directory",
      { AZURE_SSH_KEY_PATH: "$HOME/.ssh/id.pub" },
      { ssh: { keyPath: "/home/me/.ssh/id.pub" } },
    ],
    ["a community image", { AZURE_IMAGE_ID: standInImages.community }, { image: standInImages.community }],
    [
      "the latest version of a gallery's image",
      { AZURE_IMAGE_ID: standInImages.good.replace(/\/versions.*/, "") },
      {},
    ],
  ])("take %s", (_what, change, expected) => {
    expect(configOf(change, { HOME: "/home/me" })).toMatchObject(expected);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["no GUID", { AZURE_SUBSCRIPTION_ID: "mine" }, /^subscriptionid: "mine"/],
    ["a subnet's name alone", { AZURE_SUBNET_ID: "pods" }, /^subnetid: "pods"/],
    ["a path that climbs", { AZURE_SUBNET_ID: `${subnet}/../../x` }, /^subnetid/],
    ["a zone that is none", { AZURE_ZONES: "1,westeurope-2" }, /^zones: "westeurope-2"/],
    ["an image that is none", { AZURE_IMAGE_ID: "ubuntu" }, /^imageid \(AZURE_IMAGE_ID\): "ubuntu"/],
    ["an endpoint without TLS", { AZURE_RESOURCE_MANAGER_ENDPOINT: "http://arm.example" }, /^azure-endpoint/],
    ["a user that Azure refuses", { SSH_USERNAME: "root" }, /^ssh-username: "root"/],
    ["a tag of ours", { TAGS: "peerpods-pod=x" }, /^tags \(TAGS\): "peerpods-pod": this key is set by us/],
    ["a tag of Microsoft's", { TAGS: "azure-x=y" }, /Microsoft's/],
    ["a price that is none", { SPOT_MAX_PRICE: "cheap" }, /^spot-max-price/],
  ])("refuse %s", (_what, change, message) => {
    expect(() => configOf(change)).toThrow(message);
  });

  it("say everything that is wrong at once", () => {
    const thrown = () => configOf({ AZURE_ZONES: "x", TAGS: "a?b=c,a%=d", AZURE_IMAGE_ID: "x" });
    expect(thrown).toThrow(expect.objectContaining({ code: "invalid_config" }));
    expect(thrown).toThrow(/zones.*\n.*imageid.*\n.*tags.*\n.*tags/);
  });
});
