import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { hasInventory, instanceToken, systemClock } from "@peerpods/cloud-providers";
import { until } from "@peerpods/test-harness";
import { createFakeCloud, fakeProvider, timedCall } from "@peerpods/cloud-providers/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configMaps, nodes, pods } from "../../kubernetes/core.ts";
import { resource } from "../../kubernetes/resource.ts";
import { startPeerPodCluster, type PeerPodCluster } from "../../testing/cluster.ts";
import { runController, type RunningController } from "../../testing/running-controller.ts";
import { createHand, type Hand } from "../../testing/scenario.ts";
import { sweepTable } from "../../manager/sweep-command.ts";
import { sweep, type SweepOptions } from "./sweep.ts";

const missing = await missingBinaries();

describe.skipIf(missing !== undefined)(`orphan sweep${missing === undefined ? "" : ` (${missing})`}`, () => {
  const cloud = createFakeCloud();
  let api: PeerPodCluster;
  let hand: Hand;
  let running: RunningController;

  beforeAll(async () => {
    await prepareBinaries();
    api = await startPeerPodCluster();
    hand = await createHand(api, cloud);
    await resource(api.kube, configMaps).create(
      { metadata: { name: "peer-pods-cm" }, data: { FAKE_ACCESS_KEY: "fake-access-key" } },
      { namespace: "default" },
    );
    running = await runController(api.kube, [fakeProvider(cloud)]);
    for (const name of ["node-1", "node-2"])
      await resource(api.kube, nodes).create({ metadata: { name } }, {});
  }, 1_800_000);
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
  });

  const once = (change: Partial<SweepOptions> = {}) =>
    sweep({ kube: api.kube, providers: ["fake"], graceMs: 0, dryRun: false, ...change }, running.context);
  const judged = async (id: string, change: Partial<SweepOptions> = { dryRun: true }) => {
    const found = (await once(change)).instances.find(({ instanceId }) => instanceId === id);
    return [found?.finding, found?.action];
  };

  it("keeps what is recorded, by id or by token alone, and what is another cluster's", async () => {
    const peerPod = await hand.peerPod({ name: "recorded", namespace: "default" });
    const crashed = await hand.instance({ name: "crashed", namespace: "default" });
    const intent = await hand.peerPod({
      name: "crashed",
      namespace: "default",
      spec: { instanceID: "", token: instanceToken("sandbox-crashed", 1) },
    });
    const foreign = await hand.instance({ name: "foreign", namespace: "default", clusterId: "c2" });
    expect(await judged(peerPod.spec.instanceID ?? "", {})).toEqual(["Recorded", "kept"]);
    expect(await judged(crashed, {})).toEqual(["Recorded", "kept"]);
    expect(await judged(foreign, {})).toEqual([undefined, undefined]);
    expect(cloud.count().instances).toBe(3);
    for (const { metadata } of [peerPod, intent])
      await api.peerPods.delete({ namespace: "default", name: metadata.name });
  });

  it("finds a VM whose daemon died before the record, whose pod is gone, and deletes it with all that it has", async () => {
    const id = await hand.instance({ name: "nobodys", namespace: "default" });
    expect(await judged(id)).toEqual(["PodGone", "would delete"]);
    expect(await judged(id, {})).toEqual(["PodGone", "deleted"]);
    using call = timedCall(systemClock);
    expect(
      hasInventory(hand.provider) && (await hand.provider.getInstance({ instanceId: id }, call)),
    ).toBeUndefined();
  });

  it("keeps the VM of a running pod whose PeerPod was removed by hand, until the pod goes", async () => {
    await api.pod("by-hand", "default");
    const id = await hand.instance({ name: "by-hand", namespace: "default" });
    expect(await judged(id, {})).toEqual(["PodAlive", "kept"]);
    await resource(api.kube, pods).delete({ namespace: "default", name: "by-hand" });
    await until("the pod is gone", async () => (await judged(id))[0] === "PodGone");
    expect(await judged(id, {})).toEqual(["PodGone", "deleted"]);
  });

  it("finds the VM of a node that is gone, though its pod is still listed", async () => {
    await api.pod("lost-node", "default");
    const id = await hand.instance({ name: "lost-node", namespace: "default", nodeName: "node-9" });
    expect(await judged(id, {})).toEqual(["NodeGone", "deleted"]);
  });

  it("deletes a PeerPod without a Pod when its node is gone, and the VM with it; one whose node is there stays", async () => {
    const nodeName = { nodeName: "node-8" };
    const lost = await hand.peerPod({ name: "ownerless", namespace: "default", spec: nodeName });
    const kept = await hand.peerPod({ name: "ownerless-too", namespace: "default" });
    await once({ graceMs: 3_600_000 });
    await once({ dryRun: true });
    expect((await api.peerPods.get(lost.metadata)).metadata.deletionTimestamp).toBeUndefined();
    await once();
    await until("it is gone", async () => (await api.peerPods.list()).items.length === 1);
    expect((await api.peerPods.list()).items[0]?.metadata.uid).toBe(kept.metadata.uid);
    await api.peerPods.delete({ namespace: "default", name: kept.metadata.name });
    await until("none is left", async () => (await api.peerPods.list()).items.length === 0);
  });

  it("waits for the grace period, from when the orphan was first seen", async () => {
    const known = new Map<string, number>();
    const id = await hand.instance({ name: "patient", namespace: "default" });
    expect(await judged(id, { graceMs: 3_600_000, known })).toEqual(["PodGone", "waiting"]);
    expect(known.size).toBe(1);
    expect(await judged(id, { graceMs: 1, known })).toEqual(["PodGone", "deleted"]);
    expect(known.size).toBe(0);
  });

  it("reports what it cannot delete or sweep, and goes on", async () => {
    const id = await hand.instance({ name: "stubborn", namespace: "default" });
    using _fault = cloud.faults.add({ step: "terminateInstance", kind: "server_error", times: 1 });
    const report = await once({ providers: ["fake", "nimbus"] });
    expect(report.skipped.map(({ provider }) => provider)).toEqual(["nimbus"]);
    const found = report.instances.find(({ instanceId }) => instanceId === id);
    expect(found).toMatchObject({ action: "failed", finding: "PodGone" });
    expect(sweepTable(report)).toMatch(/^fake +\S+ +default\/stubborn +node-1 +\d+s +PodGone +failed: /m);
    expect(await judged(id, {})).toEqual(["PodGone", "deleted"]);
  });

  it("deletes nothing when the cluster cannot be read", async () => {
    const id = await hand.instance({ name: "unread", namespace: "default" });
    await api.cluster.pause();
    await expect(once()).rejects.toMatchObject({ code: "unavailable" });
    await api.cluster.resume();
    expect(await judged(id, {})).toEqual(["PodGone", "deleted"]);
  });
});
