import { neededPermissions, textOf } from "@peerpods/aws-stand-in";
import { silentLogger, tagKeys } from "@peerpods/cloud-providers";
import { testRequest, type TestRequestOptions } from "@peerpods/cloud-providers/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { permissionSets } from "./permissions.ts";
import type { AwsProvider } from "./provider.ts";
import { census, vanish } from "./testing/aws-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithEc2 } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
let serial = 0;
const newRequest = (change: TestRequestOptions = {}) =>
  testRequest({ sandboxId: `${++serial}`.padStart(64, "0"), ...change });

const always = permissionSets.flatMap((set) => (set.always === true ? set.actions : []));
const of = (words: string) => permissionSets.find(({ purpose }) => purpose.includes(words))?.actions ?? [];

await describeWithEc2("the least that the role must be allowed", (suite) => {
  const provider = (env: Readonly<Record<string, string>> = {}) =>
    connect(suite().standIn, suite().account, { effects: { pollMs: 5 }, env });
  /** IAM actions that the calls so far have needed. */
  const used = () =>
    new Set(suite().standIn.calls.flatMap(({ service, ...seen }) => neededPermissions(service, seen)));
  const makeAndDelete = async (aws: AwsProvider, request = newRequest()) => {
    const { id } = await aws.createInstance(request, call());
    await aws.deleteInstance({ instanceId: id, token: request.token, tags: request.tags }, call());
  };
  /** Puts things with the token's tag there that no instance takes along: what a crash may leave. */
  const leaveBehind = async () => {
    const { standIn, account } = suite();
    const { moto, state } = standIn;
    const request = newRequest({ spec: { multiNic: true } });
    const aws = await provider({ USE_PUBLIC_IP: "true" });
    const { id } = await aws.createInstance(request, call());
    await vanish(standIn, id);
    const tags = Object.entries(request.tags).map(([key, value]) => ({ key, value }));
    const volume = await moto.call("CreateVolume", {
      Size: "1",
      AvailabilityZone: account.zones[0]?.zone ?? "",
    });
    await state.createTags(/<volumeId>([^<]*)/.exec(volume)?.[1] ?? "", tags);
    // Its second interface, put on another machine meanwhile: the first one of a machine could not be taken off again.
    const machine = await moto.call("RunInstances", {
      MinCount: "1",
      MaxCount: "1",
      ImageId: account.image,
      InstanceType: "m6a.large",
      "NetworkInterface.1.DeviceIndex": "0",
      "NetworkInterface.1.SubnetId": account.zones[0]?.subnet ?? "",
      "NetworkInterface.1.DeleteOnTermination": "true",
    });
    const host = /<instanceId>([^<]*)/.exec(machine)?.[1] ?? "";
    const [card] = await state.interfaces({
      "Filter.1.Name": `tag:${tagKeys.token}`,
      "Filter.1.Value.1": request.token,
    });
    await moto.call("AttachNetworkInterface", {
      InstanceId: host,
      NetworkInterfaceId: textOf(card, "networkInterfaceId"),
      DeviceIndex: "1",
    });
    return { request, host };
  };

  beforeEach(() => {
    suite().standIn.calls.length = 0;
  });
  afterEach(() => {
    suite().standIn.permitted = undefined;
  });

  const uses: readonly (readonly [string, readonly string[], () => Promise<void>])[] = [
    [
      "a pod VM",
      of("pod VMs: create"),
      async () => {
        const aws = await provider();
        await makeAndDelete(aws);
        await aws.listInstances({ [tagKeys.cluster]: "c" }, call());
        await aws.placements(newRequest().spec, call());
      },
    ],
    [
      "the verifier",
      of("doctor"),
      async () => {
        expect(await (await provider()).configVerifier(call())).toEqual([]);
      },
    ],
    [
      "a second interface",
      of("second network interface"),
      async () => await makeAndDelete(await provider(), newRequest({ spec: { multiNic: true } })),
    ],
    [
      "a public address",
      [...of("second network interface"), ...of("public address")],
      async () =>
        await makeAndDelete(
          await provider({ USE_PUBLIC_IP: "true" }),
          newRequest({ spec: { multiNic: true } }),
        ),
    ],
    [
      "a volume",
      of("data volumes"),
      async () => {
        const volumes = [{ diskId: suite().account.volumes[0] ?? "" }];
        await makeAndDelete(await provider(), newRequest({ spec: { volumes } }));
      },
    ],
    [
      "the console",
      of("peerpods logs"),
      async () => {
        const aws = await provider();
        const request = newRequest();
        const { id } = await aws.createInstance(request, call());
        expect(await aws.consoleLogs({ instanceId: id, maxBytes: 100 }, call())).toHaveLength(1);
        await aws.deleteInstance({ instanceId: id, tags: request.tags }, call());
      },
    ],
  ];

  it.each(uses)("%s works with that, and uses all of it", async (_what, actions, use) => {
    const { standIn } = suite();
    standIn.permitted = new Set([...always, ...actions]);
    const before = await census(standIn);
    await use();
    expect([...used()]).toEqual(expect.arrayContaining([...actions]));
    expect(await census(standIn)).toEqual(before);
  });

  it("what a crash left is removed with that, and all of it is used", async () => {
    const { standIn } = suite();
    const before = await census(standIn);
    const { request, host } = await leaveBehind();
    standIn.calls.length = 0;
    standIn.permitted = new Set(always);
    await (await provider()).deleteInstance({ token: request.token, tags: request.tags }, call());
    expect([...used()]).toEqual(expect.arrayContaining([...of("a crash left")]));
    await standIn.moto.call("TerminateInstances", { "InstanceId.1": host });
    expect(await census(standIn)).toEqual(before);
  });

  it("an instance profile is passed on only with leave", async () => {
    const { standIn } = suite();
    const aws = await provider({ AWS_IAM_INSTANCE_PROFILE: "podvm" });
    standIn.permitted = new Set(always);
    await expect(aws.createInstance(newRequest(), call())).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("iam:PassRole") as string,
    });
    // With leave it comes as far as EC2, which has no such profile.
    standIn.permitted = new Set([...always, ...of("instance profile")]);
    await expect(aws.createInstance(newRequest(), call())).rejects.toMatchObject({ code: "invalid_request" });
  });

  describe("without one of them", () => {
    it.each(of("pod VMs: create"))("a pod VM fails and says so: %s", async (action) => {
      const { standIn } = suite();
      standIn.permitted = new Set(always.filter((name) => name !== action));
      const aws = await provider();
      const request = newRequest();
      const failed: unknown = await makeAndDelete(aws, request).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failed).toMatchObject({
        code: "unauthorized",
        message: expect.stringContaining(action) as string,
      });
      standIn.permitted = undefined;
      await aws.deleteInstance({ token: request.token, tags: request.tags }, call());
    });
  });

  it("the quota is then not looked at, which is worth a word and no more", async () => {
    const { standIn } = suite();
    standIn.permitted = new Set([...always, "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]);
    expect(await (await provider()).configVerifier(call())).toEqual([
      expect.objectContaining({
        severity: "info",
        subject: "quota",
        remedy: expect.stringContaining("servicequotas:GetServiceQuota") as string,
      }),
    ]);
  });
});
