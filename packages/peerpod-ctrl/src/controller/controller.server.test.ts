import { setTimeout as pause } from "node:timers/promises";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { createFakeCloud, fakeProvider, testRequest, timedCall } from "@peerpods/cloud-providers/testing";
import { systemClock } from "@peerpods/cloud-providers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FORCE_RELEASE_ANNOTATION } from "../api/names.ts";
import type { PeerPod } from "../api/peerpod.ts";
import { configMaps, events, secrets } from "../kubernetes/core.ts";
import { resource, type ObjectKey } from "../kubernetes/resource.ts";
import { peerPodObject, startPeerPodCluster, type PeerPodCluster } from "../testing/cluster.ts";
import { runController, type RunningController } from "../testing/running-controller.ts";
import { createHand, type Hand } from "../testing/scenario.ts";

const missing = await missingBinaries();
const TIMEOUT = { timeoutMs: 60_000 };

describe.skipIf(missing !== undefined)(`controller${missing === undefined ? "" : ` (${missing})`}`, () => {
  const cloud = createFakeCloud();
  let api: PeerPodCluster;
  let hand: Hand;
  let running: RunningController;

  beforeAll(async () => {
    await prepareBinaries();
    api = await startPeerPodCluster();
    hand = await createHand(api, cloud);
    await resource(api.kube, secrets).create(
      {
        metadata: { name: "peer-pods-secret" },
        data: { FAKE_ACCESS_KEY: Buffer.from("fake-access-key").toString("base64") },
      },
      { namespace: "default" },
    );
    running = await runController(api.kube, [fakeProvider(cloud)]);
  }, 1_800_000);
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
  });

  const keyFor = ({ metadata: { name, namespace = "" } }: PeerPod): ObjectKey => ({ name, namespace });
  const read = (peerPod: PeerPod) => api.peerPods.get(keyFor(peerPod));
  const gone = (peerPod: PeerPod) =>
    until(
      `${peerPod.metadata.name} gone`,
      () =>
        read(peerPod).then(
          () => false,
          () => true,
        ),
      TIMEOUT,
    );
  const remove = (peerPod: PeerPod) => api.peerPods.delete(keyFor(peerPod));
  const reason = (wanted: string, peerPod: PeerPod) =>
    until(
      `${peerPod.metadata.name} shows ${wanted}`,
      async () => (await read(peerPod)).status.conditions?.find((condition) => condition.reason === wanted),
      TIMEOUT,
    );
  const eventsOf = async (uid: string) => {
    await running.context.recorder.flush();
    const { items } = await resource(api.kube, events).list({ namespace: "default" });
    return items.filter(({ involvedObject }) => involvedObject.uid === uid);
  };
  const made = (name: string, spec: object, metadata: object = {}) =>
    api.peerPods.create(peerPodObject(name, spec, metadata), { namespace: "default" });
  /** Lets go of what a test has left stuck on purpose. */
  const release = async (peerPod: PeerPod) => {
    await api.peerPods.patch(keyFor(peerPod), {
      metadata: { annotations: { [FORCE_RELEASE_ANNOTATION]: "true" } },
    });
    await gone(peerPod);
  };

  it("deletes the instance of a deleted PeerPod, once, and touches it not before", async () => {
    const peerPod = await hand.peerPod({ name: "plain", namespace: "default" });
    expect(cloud.count().instances).toBe(1);
    const before = cloud.calls.length;
    await remove(peerPod);
    await gone(peerPod);
    expect(cloud.count()).toEqual({ instances: 0, interfaces: 0, disks: 0, addresses: 0 });
    expect(cloud.calls.slice(before).filter(({ step }) => step === "terminateInstance")).toHaveLength(1);
  });

  it("finds by its token what a crash left between the cloud's answer and the record, of earlier attempts too", async () => {
    const { spec } = await hand.peerPod({ name: "crashed", namespace: "default" });
    const token = spec.token ?? "";
    const peerPod = await hand.peerPod({
      name: "crashed-again",
      namespace: "default",
      spec: { instanceID: "", token: "never-was-a1", earlierTokens: [token], sandboxID: "sandbox-crashed" },
    });
    await remove(peerPod);
    await gone(peerPod);
    expect(cloud.count().instances).toBe(0);
    const first = (await api.peerPods.list({ namespace: "default" })).items.find(
      (item) => item.spec.instanceID === spec.instanceID,
    );
    if (first === undefined) throw new Error("the first PeerPod is gone");
    await remove(first);
    await gone(first);
  });

  it("removes its own finalizer only", async () => {
    const instanceID = await hand.instance({ name: "held", namespace: "default" });
    const peerPod = await made(
      "held",
      { cloudProvider: "fake", instanceID },
      { finalizers: ["other.example/a", "peer.pod/finalizer"] },
    );
    await remove(peerPod);
    await until("released", async () => (await read(peerPod)).metadata.finalizers?.length === 1, TIMEOUT);
    expect((await read(peerPod)).metadata.finalizers).toEqual(["other.example/a"]);
    expect(cloud.count().instances).toBe(0);
    await api.peerPods.patch(keyFor(peerPod), { metadata: { finalizers: null } });
    await gone(peerPod);
  });

  it.each([
    ["an unknown provider", { cloudProvider: "nimbus", instanceID: "i-1" }, "UnsupportedProvider"],
    ["no provider", { instanceID: "i-1" }, "UnsupportedProvider"],
  ])("stops trying, says why and can be forced: %s", async (why, spec, wanted) => {
    const pod = await api.pod(`stuck-${wanted.length}-${why.length}`, "default");
    const { name, uid } = pod.metadata;
    const peerPod = await made(`${name}-r`, spec, {
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid, controller: true }],
    });
    await remove(peerPod);
    const condition = await reason(wanted, peerPod);
    expect(condition).toMatchObject({ type: "Deleting", status: "False" });
    expect(condition.message).toContain("force-release=true");
    expect((await read(peerPod)).status.phase).toBe("Stuck");
    const { resourceVersion } = (await read(peerPod)).metadata;
    await pause(1_500);
    expect((await read(peerPod)).metadata.resourceVersion).toBe(resourceVersion);
    for (const about of [peerPod.metadata.uid, uid])
      expect((await eventsOf(about)).map((event) => event.reason)).toContain(wanted);
    await release(peerPod);
    expect((await eventsOf(uid)).map((event) => event.reason)).toContain("ForceReleased");
  });

  it("leaves a foreign instance alone: another cluster's, another namespace's, nobody's", async () => {
    const otherCluster = await hand.instance({ name: "theirs", namespace: "default", clusterId: "c2" });
    const otherNamespace = await hand.instance({ name: "elsewhere", namespace: "kube-system" });
    const request = testRequest({ sandboxId: "database", podName: "db" });
    using call = timedCall(systemClock);
    const { id: untagged } = await hand.provider.createInstance(
      { ...request, name: "database", tags: {}, token: "database-a1" },
      call,
    );
    const peerPods = [
      await made("steal-1", { cloudProvider: "fake", instanceID: otherCluster }),
      await made("steal-2", { cloudProvider: "fake", instanceID: otherNamespace }),
      await made("steal-3", { cloudProvider: "fake", instanceID: untagged }),
      await hand.peerPod({
        name: "steal-4",
        namespace: "default",
        spec: { instanceID: otherCluster, token: "" },
      }),
      await hand.peerPod({
        name: "steal-5",
        namespace: "default",
        spec: { instanceID: untagged, token: "" },
      }),
    ];
    for (const peerPod of peerPods) await remove(peerPod);
    for (const peerPod of peerPods) await reason("ForeignInstance", peerPod);
    expect(cloud.count().instances).toBe(3);
    for (const peerPod of peerPods) await release(peerPod);
    for (const instanceId of [otherCluster, otherNamespace, untagged])
      await hand.provider.deleteInstance({ instanceId, tags: {} }, call);
  });

  it("refuses a PeerPod of another cluster", async () => {
    const peerPod = await hand.peerPod({ name: "astray", namespace: "default", clusterId: "c2" });
    await remove(peerPod);
    await reason("ForeignCluster", peerPod);
    expect(cloud.count().instances).toBe(1);
    await release(peerPod);
    using call = timedCall(systemClock);
    await hand.provider.deleteInstance({ instanceId: peerPod.spec.instanceID ?? "", tags: {} }, call);
  });

  it("deletes what the Go daemon recorded by its id, and says so", async () => {
    const request = testRequest({ sandboxId: "gopod", podName: "go" });
    using call = timedCall(systemClock);
    const { id } = await hand.provider.createInstance({ ...request, tags: {} }, call);
    const peerPod = await made("go-resource-bcdfg", { cloudProvider: "fake", instanceID: id });
    await remove(peerPod);
    await gone(peerPod);
    expect(cloud.count().instances).toBe(0);
    expect((await eventsOf(peerPod.metadata.uid)).map((event) => event.reason)).toContain("DeletedByID");
  });

  it("lets go of a record without id and token: no cloud was ever asked", async () => {
    const peerPods = [
      await made("empty-1", {}),
      await made("empty-2", { cloudProvider: "fake", instanceID: "" }),
      await hand.peerPod({ name: "empty-3", namespace: "default", spec: { instanceID: "", token: "" } }),
    ];
    for (const peerPod of peerPods) {
      await remove(peerPod);
      await gone(peerPod);
    }
  });

  it("goes on through failures of the cloud, and shows them", async () => {
    const peerPod = await hand.peerPod({ name: "stormy", namespace: "default" });
    using fault = cloud.faults.add({ step: "terminateInstance", kind: "server_error", times: 3 });
    await remove(peerPod);
    await reason("CloudUnavailable", peerPod);
    await gone(peerPod);
    expect(fault.hits).toBe(3);
    expect(cloud.count().instances).toBe(0);
  });

  it("takes a changed Secret up at once, without restart, and ignores what deleting does not need", async () => {
    const key = { namespace: "default", name: "peer-pods-secret" };
    const set = (value: string) =>
      resource(api.kube, secrets).patch(key, {
        data: { FAKE_ACCESS_KEY: Buffer.from(value).toString("base64") },
      });
    const peerPod = await hand.peerPod({ name: "rotated", namespace: "default" });
    await set("revoked");
    await until("the change is seen", () => running.settings().values["FAKE_ACCESS_KEY"] === "revoked");
    await remove(peerPod);
    await reason("InvalidConfig", peerPod);
    await resource(api.kube, configMaps).create(
      {
        metadata: { name: "peer-pods-cm" },
        data: { FAKE_PUBLIC_IP: "maybe", FAKE_ACCESS_KEY: "the Secret's counts", FAKE_POLL_INTERVAL: "5" },
      },
      { namespace: "default" },
    );
    await set("fake-access-key");
    await gone(peerPod);
    expect(cloud.count().instances).toBe(0);
  });

  it("deletes the PeerPod of a replaced sandbox, and neither of two made within a second", async () => {
    const pod = await api.pod("twice", "default");
    const owner = {
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "twice", uid: pod.metadata.uid }],
    };
    const first = await made("twice-1", { cloudProvider: "fake" }, owner);
    await pause(1_100);
    const second = await made("twice-2", { cloudProvider: "fake" }, owner);
    await gone(first);
    // Without an owner there is nothing to compare, and nothing else is disturbed by it.
    const ownerless = await made("ownerless", { cloudProvider: "fake" });
    expect((await read(second)).metadata.deletionTimestamp).toBeUndefined();
    for (const peerPod of [second, ownerless]) {
      await remove(peerPod);
      await gone(peerPod);
    }
  });

  it("finalizes after the API server was away", async () => {
    const peerPod = await hand.peerPod({ name: "away", namespace: "default" });
    cloud.latencyMs = 2_000;
    await remove(peerPod);
    await until("the cloud is asked", () => cloud.calls.at(-1)?.step !== "runInstance", TIMEOUT);
    await api.cluster.pause();
    await pause(3_000);
    const asked = cloud.calls.filter(({ step }) => step === "terminateInstance").length;
    cloud.latencyMs = 0;
    await api.cluster.resume();
    await gone(peerPod);
    expect(cloud.count().instances).toBe(0);
    // The cloud had confirmed; it is not asked again because a finalizer could not be removed.
    expect(cloud.calls.filter(({ step }) => step === "terminateInstance").length - asked).toBeLessThanOrEqual(
      1,
    );
  });
});
