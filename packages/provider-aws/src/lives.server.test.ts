import { childOf, itemsOf, textOf, type Xml } from "@peerpods/aws-stand-in";
import { isProviderError, silentLogger, walkPlacements } from "@peerpods/cloud-providers";
import { testRequest, type TestRequestOptions } from "@peerpods/cloud-providers/testing";
import { beforeEach, expect, it } from "vitest";
import { census } from "./testing/aws-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithEc2 } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
let serial = 0;
const newRequest = (change: TestRequestOptions = {}) =>
  testRequest({ sandboxId: `${++serial}`.padStart(64, "0"), ...change });

await describeWithEc2("a pod VM on EC2", (suite) => {
  const provider = (env: Readonly<Record<string, string>> = {}) =>
    connect(suite().standIn, suite().account, { effects: { pollMs: 5 }, env });
  const instance = async (id: string): Promise<Xml> =>
    (await suite().standIn.state.instances({ "InstanceId.1": id }))[0] ?? {};
  let before: readonly string[] = [];

  beforeEach(async () => {
    suite().standIn.calls.length = 0;
    suite().standIn.state.invisibleReads = 0;
    before = await census(suite().standIn);
  });

  it("costs five calls to make and to delete, once image and types are known", async () => {
    const aws = await provider();
    const { calls } = suite().standIn;
    const actions = () => calls.splice(0).map(({ action }) => action);
    for (const [request, first] of [
      [newRequest(), ["DescribeImages", "DescribeInstanceTypes"]],
      [newRequest(), []],
    ] as const) {
      const { id } = await aws.createInstance(request, call());
      expect(actions().toSorted()).toEqual([...first, "RunInstances"].toSorted());
      await aws.deleteInstance({ instanceId: id, token: request.token, tags: request.tags }, call());
      expect(actions()).toEqual([
        "DescribeInstances",
        "TerminateInstances",
        "DescribeInstances",
        "DescribeTags",
      ]);
    }
    expect(await census(suite().standIn)).toEqual(before);
  });

  it("is confidential, has its root volume, and no metadata without a token", async () => {
    const aws = await provider({ ROOT_VOLUME_SIZE: "77", ROOT_VOLUME_ENCRYPTED: "true", TAGS: "owner=me" });
    const request = newRequest();
    const { id } = await aws.createInstance(request, call());
    const made = await instance(id);
    expect(suite().standIn.state.confidential).toContain(id);
    expect(childOf(made, "metadataOptions")).toMatchObject({ httpTokens: "required" });
    const [root] = itemsOf(made, "blockDeviceMapping");
    const [volume] = await suite().standIn.state.volumes({
      "VolumeId.1": textOf(childOf(root, "ebs"), "volumeId"),
    });
    expect(volume).toMatchObject({ size: "77", encrypted: "true" });
    expect(itemsOf(volume, "tagSet")).toContainEqual({ key: "owner", value: "me" });
    await aws.deleteInstance({ token: request.token, tags: request.tags }, call());
    expect(await census(suite().standIn)).toEqual(before);
  });

  it("has the size and the zone that are asked for, and goes on where there is none", async () => {
    const { standIn, account } = suite();
    const [a, b] = account.zones;
    const aws = await provider({
      PODVM_INSTANCE_TYPES: "m6a.large,m6a.xlarge,c6a.xlarge,t3.2xlarge",
      AWS_ZONE_SUBNETS: `${a?.zone}=${a?.subnet},${b?.zone}=${b?.subnet}`,
    });
    const { spec } = newRequest({ spec: { vcpus: 4, memoryMiB: 8192 } });
    const placements = await aws.placements(spec, call());
    expect(placements).toEqual(
      ["c6a.xlarge", "m6a.xlarge"].flatMap((instanceType) =>
        [a, b].map((zone) => ({ instanceType, zone: zone?.zone })),
      ),
    );
    standIn.state.exhausted.add(`c6a.xlarge ${a?.zone}`);
    standIn.state.exhausted.add(`c6a.xlarge ${b?.zone}`);
    const sandboxId = "walk".padEnd(64, "0");
    const made = await walkPlacements(
      placements,
      (placement, index) =>
        aws.createInstance({ ...testRequest({ sandboxId, attempt: index + 1, spec }), placement }, call()),
      { signal: AbortSignal.timeout(60_000) },
    );
    expect(textOf(await instance(made.id), "instanceType")).toBe("m6a.xlarge");
    // No machine was there, so nothing had to be undone.
    expect(standIn.calls.map(({ action }) => action)).not.toContain("TerminateInstances");
    const next = await aws.placements(spec, call());
    expect(next.map(({ instanceType }) => instanceType)).toEqual(["m6a.xlarge", "m6a.xlarge"]);
    standIn.state.exhausted.clear();
    await aws.deleteInstance({ instanceId: made.id, tags: {} }, call());
    expect(await census(standIn)).toEqual(before);
  });

  it("comes from a launch template, interfaces and all", async () => {
    const { standIn, account } = suite();
    await standIn.moto.call("CreateLaunchTemplate", {
      LaunchTemplateName: "pods",
      "LaunchTemplateData.ImageId": account.image,
      "LaunchTemplateData.InstanceType": "c6a.large",
    });
    standIn.state.templates.set("pods", {
      "NetworkInterface.1.DeviceIndex": "0",
      "NetworkInterface.1.SubnetId": account.zones[1]?.subnet ?? "",
      "NetworkInterface.1.SecurityGroupId.1": account.securityGroup,
    });
    const aws = await provider({
      USE_PODVM_LAUNCHTEMPLATE: "true",
      PODVM_LAUNCHTEMPLATE_NAME: "pods",
      PODVM_AMI_ID: "",
      AWS_SUBNET_ID: "",
      AWS_SG_IDS: "",
    });
    expect(await aws.configVerifier(call())).toEqual([]);
    const request = newRequest();
    const { id, addresses } = await aws.createInstance(request, call());
    const made = await instance(id);
    expect(made).toMatchObject({ instanceType: "c6a.large", subnetId: account.zones[1]?.subnet });
    expect(addresses).toEqual([textOf(made, "privateIpAddress")]);
    const second = await aws.createInstance(newRequest({ spec: { instanceType: "m6a.large" } }), call());
    expect(textOf(await instance(second.id), "instanceType")).toBe("m6a.large");
    for (const instanceId of [id, second.id]) await aws.deleteInstance({ instanceId, tags: {} }, call());
    expect(await census(standIn)).toEqual(before);
  });

  it("is reached over its public address, and its second interface has one too", async () => {
    const { standIn } = suite();
    const aws = await provider({ USE_PUBLIC_IP: "true" });
    const request = newRequest({ spec: { multiNic: true } });
    const { id, addresses } = await aws.createInstance(request, call());
    expect(addresses).toEqual([textOf(await instance(id), "ipAddress")]);
    const cards = await aws.networkInterfaces({ instanceId: id }, call());
    expect(cards.map(({ index, addresses: own }) => [index, own.length])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    const again = await aws.createInstance(request, call());
    expect(again).toEqual({ id, name: request.name, addresses });
    expect(await census(standIn)).toHaveLength(before.length + 5);
    await aws.deleteInstance({ token: request.token, tags: request.tags }, call());
    expect(await census(standIn)).toEqual(before);
  });

  it("of the reference is deleted with the address that was made for it", async () => {
    const { standIn, account } = suite();
    const { moto } = standIn;
    await moto.call("RunInstances", {
      MinCount: "1",
      MaxCount: "1",
      ImageId: account.image,
      InstanceType: "m6a.large",
      "NetworkInterface.1.DeviceIndex": "0",
      "NetworkInterface.1.SubnetId": account.zones[0]?.subnet ?? "",
      "NetworkInterface.1.DeleteOnTermination": "true",
      "NetworkInterface.2.DeviceIndex": "1",
      "NetworkInterface.2.SubnetId": account.zones[0]?.subnet ?? "",
      "NetworkInterface.2.DeleteOnTermination": "true",
    });
    const made = (await standIn.state.instances({})).at(-1);
    const id = textOf(made, "instanceId");
    const cards = itemsOf(made, "networkInterfaceSet");
    for (const card of cards)
      standIn.state.deletedWithInstance.add(textOf(childOf(card, "attachment"), "attachmentId"));
    for (const name of [`eip-${id}`, "eip-of-somebody"]) {
      const allocated = await moto.call("AllocateAddress", { Domain: "vpc" });
      const [, allocation = ""] = /<allocationId>([^<]*)/.exec(allocated) ?? [];
      const [, address = ""] = /<publicIp>([^<]*)/.exec(allocated) ?? [];
      standIn.state.allocated.add(address);
      await standIn.state.createTags(allocation, [{ key: "Name", value: name }]);
      await moto.call("AssociateAddress", {
        AllocationId: allocation,
        NetworkInterfaceId: textOf(cards[name === `eip-${id}` ? 1 : 0], "networkInterfaceId"),
      });
    }
    const aws = await provider();
    await aws.deleteInstance({ instanceId: id, tags: {} }, call());
    const left = (await census(standIn)).filter((name) => !before.includes(name));
    expect(left).toEqual([expect.stringMatching(/^eipalloc-/)]);
    const [address] = await standIn.state.addresses({ "AllocationId.1": left[0] ?? "" });
    expect(itemsOf(address, "tagSet")).toEqual([{ key: "Name", value: "eip-of-somebody" }]);
    await moto.call("ReleaseAddress", { AllocationId: left[0] ?? "" });
  });

  it("is found and undone also when EC2 does not list it at once", async () => {
    const { standIn } = suite();
    standIn.state.invisibleReads = 2;
    const aws = await provider();
    const gone = new AbortController();
    using lost = standIn.faults.add({ kind: "hang_after", action: "RunInstances" });
    const creation = aws.createInstance(newRequest(), { signal: gone.signal, logger: silentLogger });
    await lost.reached;
    gone.abort();
    await expect(creation).rejects.toMatchObject({ code: "aborted" });
    expect(await census(standIn)).toEqual(before);
  });

  it("that cannot be undone is named in the error", async () => {
    const { standIn } = suite();
    const aws = await provider({ USE_PUBLIC_IP: "true" });
    using _broken = standIn.faults.add({
      kind: { code: "UnauthorizedOperation", status: 403 },
      action: "TerminateInstances",
      times: Infinity,
    });
    using _refused = standIn.faults.add({
      kind: { code: "NetworkInterfaceLimitExceeded", status: 400 },
      action: "CreateNetworkInterface",
    });
    const request = newRequest({ spec: { multiNic: true } });
    const error: unknown = await aws.createInstance(request, call()).catch((thrown: unknown) => thrown);
    expect(isProviderError(error) && error.code).toBe("quota_exceeded");
    const left = (await census(standIn)).filter((name) => !before.includes(name));
    expect(isProviderError(error) && error.left.toSorted()).toEqual(left.toSorted());
    standIn.faults.clear();
    await aws.deleteInstance({ token: request.token, tags: request.tags }, call());
    expect(await census(standIn)).toEqual(before);
  });

  it("whose volume cannot be attached is undone", async () => {
    const { standIn, account } = suite();
    const aws = await provider();
    const request = newRequest({ spec: { volumes: [{ diskId: account.volumes[0] ?? "" }] } });
    using _late = standIn.faults.add({
      kind: { code: "IncorrectState", status: 400 },
      action: "AttachVolume",
    });
    await expect(aws.createInstance(request, call())).rejects.toMatchObject({ code: "unavailable" });
    expect(await census(standIn)).toEqual(before);
  });
});
