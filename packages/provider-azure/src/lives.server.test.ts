import { at, newDisk, standInImages, type Json } from "@peerpods/azure-stand-in";
import { createCallPolicy, isProviderError, silentLogger, walkPlacements } from "@peerpods/cloud-providers";
import { testRequest, type TestRequestOptions } from "@peerpods/cloud-providers/testing";
import { beforeEach, expect, it } from "vitest";
import { census } from "./testing/azure-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithAzure } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
let serial = 0;
const newRequest = (change: TestRequestOptions = {}) =>
  testRequest({ sandboxId: `${++serial}`.padStart(64, "0"), ...change });

describeWithAzure("a pod VM on Azure", (standIn) => {
  const provider = (env: Readonly<Record<string, string>> = {}) =>
    connect(standIn(), { effects: { pollMs: 5, watch: false }, env });
  const properties = (id: string): Json => standIn().account.get(id)?.properties ?? {};
  let before: readonly string[] = [];

  beforeEach(() => {
    standIn().calls.length = 0;
    standIn().account.faults.clear();
    // Nothing takes its time here, so nobody has to be asked to wait.
    standIn().account.retryAfterSeconds = 0;
    before = census(standIn());
  });

  it("costs two calls to make and three to delete, once the sizes are known; the rest are looks at the operation", async () => {
    const azure = await provider();
    const { calls } = standIn();
    const seen = () => calls.splice(0).map(({ name }) => name);
    for (const first of [["LIST microsoft.compute/skus"], []]) {
      const request = newRequest();
      const { id } = await azure.createInstance(request, call());
      expect(seen()).toEqual([
        ...first,
        "PUT microsoft.network/networkinterfaces",
        "PUT microsoft.compute/virtualmachines",
      ]);
      await azure.deleteInstance({ instanceId: id, token: request.token, tags: request.tags }, call());
      expect(seen().filter((name) => !name.endsWith("/operations"))).toEqual([
        "GET microsoft.compute/virtualmachines",
        "DELETE microsoft.compute/virtualmachines",
        "LIST resources",
      ]);
    }
    expect(census(standIn())).toEqual(before);
  });

  it.each([
    ["Standard_DC2as_v5", "SEV-SNP"],
    ["Standard_DC2es_v6", "TDX"],
  ])("of size %s is confidential (%s), has its root disk and boots securely", async (size) => {
    const azure = await provider({
      AZURE_INSTANCE_SIZE: size,
      ROOT_VOLUME_SIZE: "77",
      ENABLE_SECURE_BOOT: "true",
      TAGS: "owner=me",
    });
    const request = newRequest();
    const { id } = await azure.createInstance(request, call());
    expect(properties(id)).toMatchObject({
      hardwareProfile: { vmSize: size },
      securityProfile: {
        securityType: "ConfidentialVM",
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
      },
      storageProfile: {
        osDisk: {
          diskSizeGB: 77,
          deleteOption: "Delete",
          managedDisk: { securityProfile: { securityEncryptionType: "VMGuestStateOnly" } },
        },
      },
      osProfile: { computerName: request.name },
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
    });
    expect(standIn().account.get(id)?.tags).toMatchObject({ owner: "me", ...request.tags });
    await azure.deleteInstance({ token: request.token, tags: request.tags }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("is a plain one without a wish for more, and a trusted launch one for secure boot alone", async () => {
    const plain = await provider({ DISABLECVM: "true", AZURE_IMAGE_ID: standInImages.community });
    const first = newRequest();
    const { id } = await plain.createInstance(first, call());
    expect(properties(id)).not.toHaveProperty("securityProfile");
    expect(properties(id)).toMatchObject({
      storageProfile: { imageReference: { communityGalleryImageId: standInImages.community } },
    });
    await plain.deleteInstance({ token: first.token, tags: first.tags }, call());
    const trusted = await provider({
      DISABLECVM: "true",
      ENABLE_SECURE_BOOT: "true",
      AZURE_INSTANCE_SIZE: "Standard_D2s_v5",
    });
    const second = newRequest();
    const made = await trusted.createInstance(second, call());
    expect(properties(made.id)).toMatchObject({ securityProfile: { securityType: "TrustedLaunch" } });
    await trusted.deleteInstance({ token: second.token, tags: second.tags }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("has the size and the zone that are asked for, and goes on where there is none", async () => {
    const { account, calls } = standIn();
    const azure = await provider({
      AZURE_INSTANCE_SIZES: "Standard_DC2as_v5,Standard_EC2as_v5,Standard_DC4as_v5,Standard_D2s_v5",
      AZURE_ZONES: "2,1",
    });
    const { spec } = newRequest({ spec: { vcpus: 2, memoryMiB: 12_000 } });
    const placements = await azure.placements(spec, call());
    expect(placements).toEqual(
      ["Standard_EC2as_v5", "Standard_DC4as_v5"].flatMap((instanceType) =>
        ["2", "1"].map((zone) => ({ instanceType, zone })),
      ),
    );
    account.full.add("Standard_EC2as_v5 2");
    const sandboxId = "walk".padEnd(64, "0");
    const made = await walkPlacements(
      placements,
      (placement, index) =>
        azure.createInstance({ ...testRequest({ sandboxId, attempt: index + 1, spec }), placement }, call()),
      { signal: AbortSignal.timeout(60_000) },
    );
    expect(account.get(made.id)).toMatchObject({
      zones: ["1"],
      properties: { hardwareProfile: { vmSize: "Standard_EC2as_v5" } },
    });
    expect(calls.filter(({ method }) => method === "PUT")).toHaveLength(4);
    expect((await azure.placements(spec, call()))[0]).toEqual({
      instanceType: "Standard_EC2as_v5",
      zone: "1",
    });
    account.full.clear();
    await azure.deleteInstance({ instanceId: made.id, tags: {} }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("with a GPU is of the only size that has one", async () => {
    const azure = await provider({ AZURE_INSTANCE_SIZES: "Standard_DC2as_v5,Standard_NCC40ads_H100_v5" });
    const request = newRequest({ spec: { gpus: 1 } });
    const { id } = await azure.createInstance(request, call());
    expect(properties(id)).toMatchObject({ hardwareProfile: { vmSize: "Standard_NCC40ads_H100_v5" } });
    await azure.deleteInstance({ instanceId: id, tags: request.tags }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("is reached over its public address, and its second interface has one too", async () => {
    const azure = await provider({ USE_PUBLIC_IP: "true" });
    const request = newRequest({ spec: { multiNic: true } });
    const { id, addresses } = await azure.createInstance(request, call());
    const cards = await azure.networkInterfaces({ instanceId: id }, call());
    expect(cards.map(({ index, addresses: own }) => [index, own.length])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(addresses).toEqual([cards[0]?.addresses[1]]);
    expect(at(properties(id), "networkProfile", "networkInterfaces", 0, "properties", "primary")).toBe(true);
    const again = await azure.createInstance(request, call());
    expect(again).toEqual({ id, name: request.name, addresses });
    expect(census(standIn())).toHaveLength(before.length + 6);
    await azure.deleteInstance({ token: request.token, tags: request.tags }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("takes data disks of its zone only, and names what is wrong with the others together", async () => {
    const { account } = standIn();
    const near = newDisk(account, { name: "near", zones: ["1"] }).id;
    const far = newDisk(account, { name: "far", zones: ["2"] }).id;
    const azure = await provider({ AZURE_ZONES: "1" });
    const fits = newRequest({ spec: { volumes: [{ diskId: near }] } });
    const { id } = await azure.createInstance(fits, call());
    expect(at(properties(id), "storageProfile", "dataDisks")).toMatchObject([
      { lun: 0, createOption: "Attach", deleteOption: "Detach", managedDisk: { id: near } },
    ]);
    const other = newRequest({ spec: { volumes: [{ diskId: near }, { diskId: far }] } });
    const refusal: unknown = await azure.createInstance(other, call()).catch((thrown: unknown) => thrown);
    expect(isProviderError(refusal) && refusal.message).toMatch(
      /near is attached to podvm-.*\n.*far is in zone 2/,
    );
    await azure.deleteInstance({ instanceId: id, tags: fits.tags }, call());
    for (const disk of [near, far]) account.remove(disk);
    expect(census(standIn())).toEqual(before);
  });

  it("that belongs to another request is left alone, and what was made beside it goes", async () => {
    const azure = await provider();
    const request = newRequest();
    const { id } = await azure.createInstance(request, call());
    const after = census(standIn());
    const other = { ...request, spec: { ...request.spec, multiNic: true } };
    await expect(azure.createInstance(other, call())).rejects.toMatchObject({ code: "conflict" });
    expect(census(standIn())).toEqual(after);
    expect(at(properties(id), "provisioningState")).not.toBe("Deleting");
    await azure.deleteInstance({ instanceId: id, tags: request.tags }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("that cannot be undone is named in the error", async () => {
    const { account } = standIn();
    const azure = await provider({ USE_PUBLIC_IP: "true" });
    using _refused = account.faults.add({
      kind: { code: "AuthorizationFailed", status: 403 },
      action: "DELETE microsoft.network/networkinterfaces",
      times: Infinity,
    });
    account.full.add("Standard_DC2as_v5 ");
    const request = newRequest();
    const error: unknown = await azure.createInstance(request, call()).catch((thrown: unknown) => thrown);
    account.full.clear();
    expect(isProviderError(error) && error.code).toBe("no_capacity");
    const left = census(standIn()).filter((name) => !before.includes(name));
    expect(left).toHaveLength(2);
    expect(isProviderError(error) && error.left.toSorted()).toEqual(left.toSorted());
    account.faults.clear();
    await azure.deleteInstance({ token: request.token, tags: request.tags }, call());
    expect(census(standIn())).toEqual(before);
  });

  it("waits for a part that is still in use, and keeps nobody else from Azure meanwhile", async () => {
    const { account } = standIn();
    const policy = createCallPolicy({ scope: "azure", bucket: { capacity: 1_000, refillPerSecond: 1_000 } });
    const azure = await connect(standIn(), { effects: { pollMs: 5, watch: false, policy } });
    account.full.add("Standard_DC2as_v5 ");
    using inUse = account.faults.add({
      kind: { code: "NicReservedForAnotherVm", status: 400 },
      action: "DELETE microsoft.network/networkinterfaces",
      times: 40,
    });
    await expect(azure.createInstance(newRequest(), call())).rejects.toMatchObject({
      code: "no_capacity",
      left: [],
    });
    account.full.clear();
    expect(inUse.hits).toBe(40);
    expect(policy.breaker.state).toBe("closed");
    expect(census(standIn())).toEqual(before);
  });

  it("is found among many, page by page", async () => {
    const { account } = standIn();
    account.pageSize = 2;
    const azure = await provider();
    const requests = Array.from({ length: 5 }, () => newRequest({ clusterId: "pages" }));
    for (const request of requests) await azure.createInstance(request, call());
    const listed = await azure.listInstances({ "peerpods-cluster": "pages" }, call());
    expect(listed.map(({ name }) => name)).toEqual(requests.map(({ name }) => name));
    expect(new Set(listed.flatMap(({ addresses }) => addresses)).size).toBe(5);
    for (const { token, tags } of requests) await azure.deleteInstance({ token, tags }, call());
    account.pageSize = 50;
    expect(census(standIn())).toEqual(before);
  });

  it("is a spot machine up to a price, and its console can be read", async () => {
    const azure = await provider({ USE_SPOT_INSTANCES: "true", SPOT_MAX_PRICE: "0.25" });
    const request = newRequest();
    const { id } = await azure.createInstance(request, call());
    expect(properties(id)).toMatchObject({
      priority: "Spot",
      evictionPolicy: "Delete",
      billingProfile: { maxPrice: 0.25 },
    });
    const [log] = await azure.consoleLogs({ instanceId: id, maxBytes: 6 }, call());
    expect(log).toEqual({ name: "console", text: "ready\n", truncated: true });
    await azure.deleteInstance({ instanceId: id, tags: request.tags }, call());
    expect(census(standIn())).toEqual(before);
  });
});
