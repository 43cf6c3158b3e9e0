import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testRequest, timedCall } from "@peerpods/cloud-providers/testing";
import { systemClock } from "@peerpods/cloud-providers";
import {
  missingPythonSdk,
  runSecondClient,
  standInApiKey,
  standInProfile,
  startIbmcloudStandIn,
  type IbmcloudStandIn,
} from "@peerpods/ibmcloud-stand-in";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { permissions } from "./permissions.ts";
import type { IbmcloudProvider } from "./provider.ts";
import { connect, type TestConnection } from "./testing/connect.ts";

let standIn: IbmcloudStandIn;
beforeAll(async () => {
  standIn = await startIbmcloudStandIn();
});
afterEach(() => standIn.reset());
afterAll(async () => await standIn[Symbol.asyncDispose]());

/** Real time, with short pauses: nothing here has to wait long. */
async function provide(connection: TestConnection = {}): Promise<IbmcloudProvider> {
  const provider = await connect(standIn, { ...connection, effects: { pollMs: 5, ...connection.effects } });
  onTestFinished(async () => await provider.teardown());
  return provider;
}

function call(timeoutMs = 20_000) {
  const timed = timedCall(systemClock, { timeoutMs });
  onTestFinished(() => timed[Symbol.dispose]());
  return timed;
}

const actions = () => standIn.calls.map(({ action }) => action);
const created = () =>
  standIn.calls.filter(({ action }) => action === "create_instance").map(({ body }) => body);

describe("calls", () => {
  it("are six for a creation and a deletion: two reads more than the reference makes", async () => {
    const provider = await provide();
    const warmUp = testRequest({ sandboxId: "warm" });
    await provider.createInstance(warmUp, call());
    await provider.deleteInstance({ token: warmUp.token, tags: warmUp.tags }, call());
    standIn.calls.length = 0;
    const request = testRequest({ sandboxId: "counted" });
    const { id } = await provider.createInstance(request, call());
    expect(actions()).toEqual(["create_instance", "get_instance", "attach_tag"]);
    standIn.calls.length = 0;
    await provider.deleteInstance({ instanceId: id, token: request.token, tags: request.tags }, call());
    expect(actions()).toEqual(["list_volumes", "delete_instance", "get_instance"]);
  });

  it("ask for images, profiles and the subnet once for all pods", async () => {
    const provider = await provide();
    const requests = Array.from({ length: 8 }, (_, index) => testRequest({ sandboxId: `crowd-${index}` }));
    await Promise.all(requests.map(async (request) => await provider.createInstance(request, call())));
    const count = (name: string) => actions().filter((action) => action === name).length;
    expect([count("get_subnet"), count("get_image"), count("get_instance_profile")]).toEqual([1, 1, 3]);
  });
});

describe("addresses", () => {
  it("are waited for as long as the VPC says 0.0.0.0", async () => {
    standIn.state.pendingLooks = 4;
    const provider = await provide();
    const { addresses } = await provider.createInstance(testRequest({ sandboxId: "late" }), call());
    expect(addresses).toEqual([expect.stringMatching(/^10\.240\./)]);
    expect(actions().filter((action) => action === "get_instance")).toHaveLength(4);
  });

  it("end with a clear error when they never come, and nothing is left", async () => {
    standIn.state.pendingLooks = 1_000_000;
    const provider = await provide({ env: { IBMCLOUD_API_RATE: "1000", IBMCLOUD_API_BURST: "10000" } });
    const before = standIn.state.census();
    await expect(
      provider.createInstance(testRequest({ sandboxId: "never" }), call(500)),
    ).rejects.toMatchObject({
      code: "timeout",
    });
    expect(standIn.state.census()).toEqual(before);
  });

  it("are two with an interface for the tunnel, and the pod's own interface is not among them", async () => {
    const { account } = standIn;
    const provider = await provide({
      argv: [
        "-secondary-subnet-id",
        account.tunnelSubnet,
        "-secondary-security-group-id",
        account.securityGroup,
      ],
    });
    const { id, addresses } = await provider.createInstance(
      testRequest({ sandboxId: "two", spec: { multiNic: true } }),
      call(),
    );
    const cards = await provider.networkInterfaces({ instanceId: id }, call());
    expect(cards).toHaveLength(3);
    expect(addresses).toEqual(cards.slice(0, 2).flatMap((card) => card.addresses));
  });
});

describe("dedicated hosts", () => {
  const env = () => ({
    IBMCLOUD_DEDICATED_HOST_IDS: `${standIn.account.otherZoneHost},${standIn.account.dedicatedHost}`,
    IBMCLOUD_DEDICATED_HOST_GROUP_IDS: standIn.account.dedicatedHostGroup,
  });

  it("take the instance: the one in the zone", async () => {
    const provider = await provide({ env: env() });
    await provider.createInstance(testRequest({ sandboxId: "host" }), call());
    expect(created()).toMatchObject([{ placement_target: { id: standIn.account.dedicatedHost } }]);
  });

  it("give way to their group when they are full, and the failed instance does not stay", async () => {
    standIn.state.exhausted.add(standIn.account.dedicatedHost);
    const provider = await provide({ env: env() });
    const { id } = await provider.createInstance(testRequest({ sandboxId: "group" }), call());
    expect([...standIn.state.instances.keys()]).toEqual([id]);
    expect(standIn.state.instances.get(id)?.target).toBe(standIn.account.dedicatedHostGroup);
  });

  it("end with no_capacity when both are full", async () => {
    const { dedicatedHost, dedicatedHostGroup } = standIn.account;
    standIn.state.exhausted.add(dedicatedHost);
    standIn.state.exhausted.add(dedicatedHostGroup);
    const provider = await provide({ env: env() });
    await expect(provider.createInstance(testRequest({ sandboxId: "full" }), call())).rejects.toMatchObject({
      code: "no_capacity",
    });
    expect(standIn.state.instances.size).toBe(0);
  });
});

describe("architectures", () => {
  it("choose the image: s390x by profile", async () => {
    const provider = await provide();
    await provider.createInstance(testRequest({ sandboxId: "z", spec: { instanceType: "bz2-2x8" } }), call());
    expect(created()).toMatchObject([
      { image: { id: standIn.account.s390xImage }, profile: { name: "bz2-2x8" } },
    ]);
  });

  it("choose the profile: s390x by wish", async () => {
    const provider = await provide();
    await provider.createInstance(testRequest({ sandboxId: "wish", spec: { arch: "s390x" } }), call());
    expect(created()).toMatchObject([{ profile: { name: "bz2-2x8" } }]);
  });

  it.each([
    ["TDX", "bx3dc-2x10", { confidential_compute_mode: "tdx", enable_secure_boot: true }],
    ["Secure Execution", "bz2e-2x8", { profile: { name: "bz2e-2x8" } }],
  ])("make confidential VMs: %s", async (_how, profile, expected) => {
    const provider = await provide({
      env: {
        DISABLECVM: "false",
        IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: profile,
        IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST: profile,
      },
    });
    await provider.createInstance(testRequest({ sandboxId: "cvm" }), call());
    expect(created()).toMatchObject([expected]);
  });
});

describe("credentials", () => {
  it("are a trusted profile with the token of the service account, read anew for each token of IAM", async () => {
    const directory = await mkdtemp(join(tmpdir(), "peerpods-ibmcloud-"));
    onTestFinished(async () => await rm(directory, { recursive: true }));
    const file = join(directory, "token");
    await writeFile(file, standInProfile.crToken);
    const provider = await provide({
      env: { IBMCLOUD_API_KEY: "", IBMCLOUD_IAM_PROFILE_ID: standInProfile.id },
      argv: ["-cr-token-filename", file],
    });
    await expect(provider.configVerifier(call())).resolves.toEqual([]);
  });

  it.each([
    ["create_instance", /create_instance: not_authorized.*role Editor/],
    ["attach_tag", /attach_tag: not_authorized.*Editor on the instance/],
    ["get_subnet", /get_subnet: not_authorized.*role Viewer/],
  ])("without the right to %s name the role, and nothing is left", async (action, message) => {
    standIn.forbidden.add(action);
    const provider = await provide();
    const failure = provider.createInstance(testRequest({ sandboxId: "denied" }), call());
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({ code: "unauthorized", left: [] });
    expect(standIn.state.instances.size).toBe(0);
  });
});

describe("the cluster", () => {
  it("adds its own security group to the configured ones", async () => {
    const { clusterId, securityGroup, clusterSecurityGroup } = standIn.account;
    const provider = await provide({ env: { IBMCLOUD_CLUSTER_ID: clusterId } });
    await provider.createInstance(testRequest({ sandboxId: "iks" }), call());
    expect(created()).toMatchObject([
      {
        primary_network_interface: { security_groups: [{ id: securityGroup }, { id: clusterSecurityGroup }] },
      },
    ]);
  });
});

describe("instances that the reference made", () => {
  it("carry none of our tags, and are deleted by their id", async () => {
    const provider = await provide();
    const request = testRequest({ sandboxId: "theirs" });
    const { id } = await provider.createInstance(request, call());
    const { bootVolume, crn } = standIn.state.instances.get(id)!;
    const volume = standIn.state.volumes.get(bootVolume)!;
    standIn.state.volumes.set(bootVolume, { ...volume, userTags: [] });
    standIn.state.tags.delete(crn);
    await expect(
      provider.deleteInstance({ instanceId: id, tags: request.tags }, call()),
    ).rejects.toMatchObject({
      code: "conflict",
    });
    await provider.deleteInstance({ instanceId: id, tags: {} }, call());
    expect(standIn.state.instances.size).toBe(0);
  });
});

describe("the verifier", () => {
  it("warns of a subnet without a free address, and creations there say no_capacity", async () => {
    const provider = await provide({ env: { IBMCLOUD_VPC_SUBNET_ID: standIn.account.fullSubnet } });
    await expect(provider.configVerifier(call())).resolves.toMatchObject([
      { severity: "warning", subject: "primary-subnet-id" },
    ]);
    await expect(provider.createInstance(testRequest({ sandboxId: "noip" }), call())).rejects.toMatchObject({
      code: "no_capacity",
    });
  });

  it("finds a group of another VPC, a missing image for a profile, and a missing role", async () => {
    const provider = await provide({
      env: {
        IBMCLOUD_SECURITY_GROUP_IDS: standIn.account.foreignSecurityGroup,
        IBMCLOUD_PODVM_IMAGE_ID: standIn.account.image,
      },
    });
    const subjects = (await provider.configVerifier(call())).map(
      ({ subject, message }) => `${subject}: ${message}`,
    );
    expect(subjects).toEqual([
      expect.stringMatching(/^image-id: no image is for s390x, but profile bz2-2x8 is/),
      expect.stringMatching(/^security-group-ids: .* is of VPC/),
    ]);
    standIn.forbidden.add("get_instance_profile");
    const [finding] = await (await provide()).configVerifier(call());
    expect(finding).toMatchObject({ severity: "error", subject: "credentials" });
  });
});

describe("permissions", () => {
  it("are listed for every call, and no call needs more than the list", async () => {
    const { account } = standIn;
    const provider = await provide({
      env: {
        IBMCLOUD_CLUSTER_ID: account.clusterId,
        IBMCLOUD_SSH_KEY_ID: account.key,
        IBMCLOUD_DEDICATED_HOST_IDS: account.dedicatedHost,
        IBMCLOUD_DEDICATED_HOST_GROUP_IDS: account.dedicatedHostGroup,
      },
    });
    const request = testRequest({
      sandboxId: "all",
      spec: { volumes: [{ diskId: account.volumes[0] ?? "" }] },
    });
    await provider.configVerifier(call());
    const { id } = await provider.createInstance(request, call());
    await provider.getInstance({ instanceId: id }, call());
    standIn.state.volumes.delete(standIn.state.instances.get(id)?.bootVolume ?? "");
    await provider.deleteInstance({ token: request.token, tags: request.tags }, call());
    // All that the provider ever calls has been called.
    expect(new Set(actions())).toEqual(new Set(Object.keys(permissions)));
  });
});

const missing = await missingPythonSdk();

describe("the official Python SDK", () => {
  it.skipIf(missing !== undefined)(
    `understands the stand-in, and takes what the provider sends${missing === undefined ? "" : ` (${missing})`}`,
    { timeout: 180_000 },
    async () => {
      const { account, origin, vpcUrl } = standIn;
      const provider = await provide({
        argv: [
          "-secondary-subnet-id",
          account.tunnelSubnet,
          "-secondary-security-group-id",
          account.securityGroup,
        ],
      });
      await provider.createInstance(
        testRequest({
          sandboxId: "python",
          spec: { multiNic: true, volumes: [{ diskId: account.volumes[0] ?? "" }] },
        }),
        call(),
      );
      const [body] = created() as Record<string, unknown>[];
      standIn.reset();
      const seen = await runSecondClient({
        url: vpcUrl,
        iam: origin,
        key: standInApiKey,
        prototype: body,
        account,
      });
      // The SDK's model leaves out what it does not know, so nothing of the request may be missing in it.
      expect(seen["sent"]).toEqual(body);
      expect(seen).toMatchObject({
        listed: [seen["id"]],
        address: expect.stringMatching(/^10\.240\./) as string,
        image: "amd64",
        vcpus: 2,
        zone: account.zone,
        group: account.vpc,
        key: account.key,
        attached: [false],
        tags: ["second:client"],
        gone: true,
      });
    },
  );
});
