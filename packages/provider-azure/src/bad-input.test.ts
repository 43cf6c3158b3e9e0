import { inspect } from "node:util";
import { standInIds, standInImages } from "@peerpods/azure-stand-in";
import { createCallPolicy, silentLogger, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { census } from "./testing/azure-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithAzure } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
/** What is wrong stays wrong, so nothing is repeated. */
const once = createCallPolicy({
  scope: "azure stand-in",
  bucket: { capacity: 10_000, refillPerSecond: 1_000 },
  retry: { maxTries: 1, baseMs: 1, maxMs: 1 },
});
const nobody = "00000000-0000-0000-0000-000000000000";
const disk = (name: string) =>
  `/subscriptions/${standInIds.subscription}/resourceGroups/${standInIds.group}/providers/Microsoft.Compute/disks/${name}`;

describeWithAzure("bad input", (standIn) => {
  const provider = (env: Readonly<Record<string, string>> = {}) =>
    connect(standIn(), { effects: { pollMs: 5, policy: once, watch: false }, env });
  let before: readonly string[] = [];

  beforeEach(() => {
    const { account, calls } = standIn();
    before = census(standIn());
    calls.length = 0;
    account.retryAfterSeconds = 0;
    account.granted = ["*"];
    account.coresLeft = 10_000;
    account.addressesLeft = 65_000;
    account.full.clear();
  });

  describe("in a request is refused, and nothing is made", () => {
    it.each<[string, string, (request: CreateInstanceRequest) => CreateInstanceRequest]>([
      [
        "user data one byte over the limit",
        "invalid_request",
        (one) => ({ ...one, userData: "x".repeat(49_153) }),
      ],
      [
        "an image with shell characters",
        "invalid_request",
        (one) => ({ ...one, spec: { ...one.spec, image: "/CommunityGalleries/$(id)" } }),
      ],
      [
        "a size that is not allowed",
        "invalid_request",
        (one) => ({ ...one, spec: { ...one.spec, instanceType: "Standard_M416s_v2" } }),
      ],
      ["more GPUs than there are", "invalid_request", (one) => ({ ...one, spec: { ...one.spec, gpus: 9 } })],
      [
        "an unknown zone",
        "invalid_request",
        (one) => ({ ...one, placement: { instanceType: "Standard_DC2as_v5", zone: "9" } }),
      ],
      [
        "a placement of another size",
        "invalid_request",
        (one) => ({ ...one, placement: { instanceType: "Standard_D2s_v5", zone: "" } }),
      ],
      [
        "an unknown volume",
        "not_found",
        (one) => ({ ...one, spec: { ...one.spec, volumes: [{ diskId: disk("none") }] } }),
      ],
      [
        "a volume with URL characters",
        "invalid_request",
        (one) => ({ ...one, spec: { ...one.spec, volumes: [{ diskId: `${disk("x")}/../y?z` }] } }),
      ],
      [
        "a volume that is named twice",
        "invalid_request",
        (one) => ({ ...one, spec: { ...one.spec, volumes: [{ diskId: disk("x") }, { diskId: disk("X") }] } }),
      ],
      [
        "a tag that Azure refuses",
        "invalid_request",
        (one) => ({ ...one, tags: { ...one.tags, "a/b": "x" } }),
      ],
    ])("%s: %s", async (_what, code, change) => {
      const azure = await provider();
      await expect(azure.createInstance(change(testRequest()), call())).rejects.toMatchObject({ code });
      expect(census(standIn())).toEqual(before);
      expect(standIn().calls.map(({ method }) => method)).not.toContain("PUT");
    });

    it.each<[string, string, () => void, Partial<CreateInstanceRequest["spec"]>]>([
      ["a quota that is used up", "quota_exceeded", () => (standIn().account.coresLeft = 1), {}],
      ["a subnet that is full", "quota_exceeded", () => (standIn().account.addressesLeft = 0), {}],
      ["no room", "no_capacity", () => standIn().account.full.add("Standard_DC2as_v5 "), {}],
      ["an image of another region", "not_found", () => undefined, { image: standInImages.elsewhere }],
      ["an image of another architecture", "invalid_request", () => undefined, { image: standInImages.arm }],
    ])("%s, by Azure: %s", async (_what, code, prepare, spec) => {
      const azure = await provider();
      prepare();
      await expect(azure.createInstance(testRequest({ spec }), call())).rejects.toMatchObject({ code });
      expect(census(standIn())).toEqual(before);
    });
  });

  describe("in a deletion", () => {
    it.each([
      "i-0123456789abcdef0",
      "192.0.2.7",
      `${disk("x")}/../../virtualMachines/y`,
      `/subscriptions/${standInIds.subscription}/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/podvm-x`,
      `/subscriptions/${nobody}/resourceGroups/${standInIds.group}/providers/Microsoft.Compute/virtualMachines/podvm-x`,
      "",
    ])("the id %j is refused", async (instanceId) => {
      const azure = await provider();
      await expect(azure.deleteInstance({ instanceId, tags: {} }, call())).rejects.toMatchObject({
        code: "invalid_request",
      });
      expect(standIn().calls).toEqual([]);
    });

    it("an id that is not the token's is a conflict, and its machine stays", async () => {
      const azure = await provider();
      const request = testRequest();
      const { id } = await azure.createInstance(request, call());
      const other = testRequest({ sandboxId: "other".padEnd(64, "0") });
      await expect(
        azure.deleteInstance({ instanceId: id, token: other.token, tags: {} }, call()),
      ).rejects.toMatchObject({ code: "conflict" });
      expect(
        await azure.getInstance(
          { instanceId: id.toUpperCase().replace("/SUBSCRIPTIONS", "/subscriptions") },
          call(),
        ),
      ).toBeDefined();
      await azure.deleteInstance({ instanceId: id, tags: request.tags }, call());
      expect(census(standIn())).toEqual(before);
    });
  });

  describe("in the configuration is a finding with its subject", () => {
    it.each<[string, Readonly<Record<string, string>>, string, RegExp]>([
      ["another subscription", { AZURE_SUBSCRIPTION_ID: nobody }, "subscriptionid", /does not exist/],
      ["another resource group", { AZURE_RESOURCE_GROUP: "nobodys" }, "resourcegroup", /nobodys/],
      [
        "a size that the region lacks",
        { AZURE_INSTANCE_SIZE: "Standard_Z0" },
        "instance-size",
        /westeurope has no Standard_Z0/,
      ],
      [
        "a size that is closed to the subscription",
        { AZURE_INSTANCE_SIZE: "Standard_DC96as_v5" },
        "instance-size",
        /NotAvailableForSubscription/,
      ],
      [
        "a size that cannot be confidential",
        { AZURE_INSTANCE_SIZE: "Standard_D2s_v5" },
        "instance-size",
        /confidential/,
      ],
      ["a zone without the size", { AZURE_ZONES: "4" }, "zones", /not offered in zone 4/],
      [
        "an image of another region",
        { AZURE_IMAGE_ID: standInImages.elsewhere },
        "imageid",
        /is in eastus, not in westeurope/,
      ],
      [
        "an image that does not exist",
        { AZURE_IMAGE_ID: standInImages.good.replace("1.0.0", "9.0.0") },
        "imageid",
        /does not exist/,
      ],
      [
        "a community image that is not there",
        { AZURE_IMAGE_ID: standInImages.community.replace("1.0.0", "9.0.0") },
        "imageid",
        /no copy in westeurope/,
      ],
      ["an image for other machines", { AZURE_IMAGE_ID: standInImages.arm }, "imageid", /is for arm64/],
      [
        "an image for no confidential VM",
        { AZURE_IMAGE_ID: standInImages.plain },
        "imageid",
        /no image for confidential/,
      ],
      [
        "an unknown subnet",
        {
          AZURE_SUBNET_ID: `/subscriptions/${standInIds.subscription}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/cluster/subnets/none`,
        },
        "subnetid",
        /does not exist/,
      ],
      [
        "an unknown security group",
        {
          AZURE_NSG_ID: `/subscriptions/${standInIds.subscription}/resourceGroups/network/providers/Microsoft.Network/networkSecurityGroups/none`,
        },
        "securitygroupid",
        /does not exist/,
      ],
      ["a key file that is none", { AZURE_SSH_KEY_PATH: "/dev/null" }, "ssh-key-path", /no public RSA key/],
      [
        "nobody at the endpoint",
        { AZURE_RESOURCE_MANAGER_ENDPOINT: "https://127.0.0.1:1" },
        "azure-endpoint",
        /ECONNREFUSED/,
      ],
    ])("%s", async (_what, env, subject, message) => {
      const azure = await provider(env);
      const findings = await azure.configVerifier(call());
      expect(findings).toContainEqual(
        expect.objectContaining({
          severity: "error",
          subject,
          message: expect.stringMatching(message) as string,
        }),
      );
      for (const { remedy } of findings) expect(remedy).not.toBe("");
      expect(inspect(findings)).not.toContain(standInIds.secret);
      expect(standIn().calls.every(({ method }) => method === "GET")).toBe(true);
    });

    it("a subnet that is full, and one that soon will be", async () => {
      const azure = await provider();
      standIn().account.addressesLeft = 0;
      expect(await azure.configVerifier(call())).toEqual([
        expect.objectContaining({ severity: "error", subject: "subnetid" }),
      ]);
      standIn().account.addressesLeft = 3;
      expect(await azure.configVerifier(call())).toEqual([
        expect.objectContaining({
          severity: "warning",
          message: expect.stringContaining("only 3") as string,
        }),
      ]);
    });

    it("a quota without room for one machine, by family", async () => {
      standIn().account.coresLeft = 1;
      expect(await (await provider()).configVerifier(call())).toEqual([
        expect.objectContaining({
          severity: "error",
          subject: "quota",
          message: expect.stringContaining("standardDCASv5Family: 1 left") as string,
        }),
      ]);
    });

    it("a role that lacks something, with what it lacks and the name of one that has it", async () => {
      standIn().account.granted = ["*/read", "Microsoft.Compute/*"];
      expect(await (await provider()).configVerifier(call())).toEqual([
        {
          severity: "error",
          subject: "role",
          message: expect.stringContaining("Microsoft.Network/networkInterfaces/write") as string,
          remedy: expect.stringContaining('"Peer Pods Operator"') as string,
        },
      ]);
    });

    it("nothing is found where nothing is wrong", async () => {
      expect(await (await provider()).configVerifier(call())).toEqual([]);
    });
  });
});
