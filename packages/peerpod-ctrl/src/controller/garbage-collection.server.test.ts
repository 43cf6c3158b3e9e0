import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { createFakeCloud, fakeProvider } from "@peerpods/cloud-providers/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configMaps, namespaces, pods } from "../kubernetes/core.ts";
import { resource } from "../kubernetes/resource.ts";
import { startPeerPodCluster, type PeerPodCluster } from "../testing/cluster.ts";
import { runController, type RunningController } from "../testing/running-controller.ts";
import { createHand, type Hand } from "../testing/scenario.ts";

const missing = await missingBinaries();
const TIMEOUT = { timeoutMs: 120_000 };

describe.skipIf(missing !== undefined)(
  `with the real garbage collector${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const cloud = createFakeCloud();
    let api: PeerPodCluster;
    let hand: Hand;
    let running: RunningController;

    beforeAll(async () => {
      await prepareBinaries(["kube-apiserver", "kube-controller-manager"]);
      api = await startPeerPodCluster({ controllerManager: true });
      hand = await createHand(api, cloud);
      await resource(api.kube, configMaps).create(
        { metadata: { name: "peer-pods-cm" }, data: { FAKE_ACCESS_KEY: "fake-access-key" } },
        { namespace: "default" },
      );
      running = await runController(api.kube, [fakeProvider(cloud)]);
    }, 1_800_000);
    afterAll(async () => {
      await running?.[Symbol.asyncDispose]();
      await api?.[Symbol.asyncDispose]();
    });

    const serviceAccountOf = (namespace: string) =>
      until(`service account of ${namespace}`, () => api.pod("probe", namespace).then(() => true), TIMEOUT);
    const none = () =>
      until("no PeerPod is left", async () => (await api.peerPods.list()).items.length === 0, TIMEOUT);

    it("a pod that goes takes its PeerPod and its VM along, though no daemon does anything", async () => {
      await serviceAccountOf("default");
      const pod = await api.pod("web-0", "default");
      await hand.peerPod({ name: "web-0", namespace: "default", podUid: pod.metadata.uid });
      await resource(api.kube, pods).delete({ namespace: "default", name: "web-0" });
      await none();
      expect(cloud.count().instances).toBe(0);
    }, 180_000);

    it("a PeerPod whose owner is gone already goes too, and its VM", async () => {
      await hand.peerPod({
        name: "late",
        namespace: "default",
        podUid: "11111111-2222-3333-4444-555555555555",
      });
      await none();
      expect(cloud.count().instances).toBe(0);
    }, 180_000);

    it("a namespace that is deleted is not held up, and no VM stays", async () => {
      await api.namespace("short-lived");
      await hand.peerPod({ name: "inside", namespace: "short-lived" });
      await resource(api.kube, namespaces).delete({ name: "short-lived" });
      await none();
      await until(
        "the namespace is gone",
        () =>
          resource(api.kube, namespaces)
            .get({ name: "short-lived" })
            .then(
              () => false,
              () => true,
            ),
        TIMEOUT,
      );
      expect(cloud.count().instances).toBe(0);
    }, 180_000);
  },
);
