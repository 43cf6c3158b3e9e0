import { instanceToken } from "@peerpods/cloud-providers";
import type { CreateInstanceRequest } from "@peerpods/cloud-providers";
import { namespaces, peerPodName, pods, resource } from "@peerpods/peerpod-ctrl";
import type { PeerPod } from "@peerpods/peerpod-ctrl";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { peerPodObject } from "../../../peerpod-ctrl/src/testing/cluster.ts";
import { KubeWorld } from "./testing/kube-world.ts";

const missing = await missingBinaries();

describe.skipIf(missing !== undefined)(
  `a pod's life on a real API server${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let kube: KubeWorld;
    beforeAll(async () => {
      await prepareBinaries();
      kube = await KubeWorld.start();
    }, 1_800_000);
    afterAll(() => kube?.[Symbol.asyncDispose]());
    afterEach(() => kube?.reset());

    const runs = ({ status }: PeerPod) => status.phase === "Running";

    it("is recorded with the intent before the cloud is asked, completed after, and released at its end", async () => {
      const pod = { name: "web-0", sandboxId: "a".repeat(64) };
      const { metadata } = await kube.api.pod(pod.name, "default");
      await kube.daemon();
      await kube.create(pod);
      expect(await kube.peerPod(pod)).toBeUndefined();

      let intent: PeerPod | undefined;
      let asked: CreateInstanceRequest | undefined;
      kube.beforeCreate = async (request) => {
        asked = request;
        intent = await kube.peerPod(pod);
      };
      await kube.start(pod);
      const token = instanceToken(pod.sandboxId, 1);
      const spec = { cloudProvider: "fake", sandboxID: pod.sandboxId, nodeName: "node-1", token };
      expect(intent?.spec).toEqual(spec);
      const kubeSystem = await resource(kube.api.kube, namespaces).get({ name: "kube-system" });
      expect(intent?.metadata).toMatchObject({
        name: peerPodName(pod.name, pod.sandboxId),
        finalizers: ["peer.pod/finalizer"],
        annotations: { "confidentialcontainers.org/cluster-id": kubeSystem.metadata.uid },
        labels: { "confidentialcontainers.org/node": "node-1" },
        ownerReferences: [{ kind: "Pod", name: pod.name, uid: metadata.uid, controller: true }],
      });
      expect(asked?.tags["peerpods-cluster"]).toBe(kubeSystem.metadata.uid);

      const peerPod = await kube.peerPodUntil(pod, "runs", runs);
      const [instanceID] = kube.instanceIds();
      expect(peerPod.spec).toEqual({ ...spec, instanceID });
      expect(peerPod.status).toMatchObject({
        observedGeneration: peerPod.metadata.generation,
        conditions: [
          { type: "Created", status: "True", reason: "InstanceCreated" },
          { type: "Running", status: "True", reason: "SandboxStarted" },
        ],
      });

      await kube.stop(pod);
      await kube.peerPodGone(pod);
      expect(kube.instanceIds()).toEqual([]);
      const told = await kube.eventsOf(pod.name, (texts) => texts.length === 5);
      expect(new Set(told.map((text) => text.split(":")[0]))).toEqual(
        new Set([
          "Normal PodVMCreated",
          "Normal PodVMDeleted",
          "Normal PodVMRequested",
          "Normal PodVMRunning",
          "Normal PodVMStopping",
        ]),
      );
    });

    it("fails for the cloud's reason, which the Pod's Events tell with the remedy, and leaves nothing", async () => {
      const pod = { name: "refused", sandboxId: "refused-1" };
      await kube.api.pod(pod.name, "default");
      await kube.daemon();
      await kube.create(pod);
      using _fault = kube.cloud.faults.add({ kind: "unauthorized", step: "runInstance", times: Infinity });
      await expect(kube.start(pod)).rejects.toThrow("no instance for sandbox");
      await kube.peerPodGone(pod);
      const told = await kube.eventsOf(pod.name, (texts) => texts.length >= 3);
      expect(told.join("\n")).toMatch(
        /Warning PodVMFailed: .*give the daemon credentials that allow the call/,
      );
    });

    it("may be that of a pod with 253 characters", async () => {
      const pod = { name: `${"p".repeat(240)}.${"q".repeat(12)}`, sandboxId: "long-1" };
      expect(pod.name).toHaveLength(253);
      await kube.api.pod(pod.name, "default");
      await kube.daemon();
      await kube.create(pod);
      await kube.start(pod);
      const { metadata } = await kube.peerPodUntil(pod, "runs", runs);
      expect(metadata.name).toHaveLength(253);
      expect(metadata.ownerReferences?.[0]?.name).toBe(pod.name);
      await kube.stop(pod);
      await kube.peerPodGone(pod);
    });

    it("needs neither the Pod nor the daemon that recorded it to be released; the successor of that name is left alone", async () => {
      const [first, second] = [
        { name: "db-0", sandboxId: "db-first" },
        { name: "db-0", sandboxId: "db-second" },
      ];
      await kube.api.pod(first.name, "default");
      const recorder = await kube.daemon();
      await kube.create(first);
      await kube.start(first);
      await kube.peerPodUntil(first, "runs", runs);
      await kube.end(recorder);
      await resource(kube.api.kube, pods).delete({ namespace: "default", name: first.name });
      const successor = await until("the successor", () => kube.api.pod(second.name, "default"));

      const program = await kube.daemon();
      expect(program.output).toContain('"adopted":["db-first"]');
      await kube.create(second);
      await kube.start(second);
      await kube.stop(first);
      await kube.peerPodGone(first);
      const { metadata } = await kube.peerPodUntil(second, "runs", runs);
      expect(metadata.ownerReferences?.[0]?.uid).toBe(successor.metadata.uid);
      await kube.stop(second);
      await kube.peerPodGone(second);
    });

    it("may have two PeerPods for one pod while the first sandbox is being removed", async () => {
      const [first, second] = [
        { name: "twice", sandboxId: "twice-1" },
        { name: "twice", sandboxId: "twice-2" },
      ];
      const { metadata } = await kube.api.pod("twice", "default");
      await kube.daemon();
      await kube.create(first);
      await kube.start(first);
      await kube.peerPodUntil(first, "runs", runs);
      {
        using _down = kube.cloud.faults.add({
          kind: "server_error",
          step: "terminateInstance",
          times: Infinity,
        });
        await kube.stop(first);
        await kube.create(second);
        await kube.start(second);
        await kube.peerPodUntil(second, "runs", runs);
        const both = [await kube.peerPod(first), await kube.peerPod(second)];
        expect(both.map((one) => one?.metadata.ownerReferences?.[0]?.uid)).toEqual([
          metadata.uid,
          metadata.uid,
        ]);
      }
      await kube.peerPodGone(first);
      expect((await kube.peerPod(second))?.status.phase).toBe("Running");
      await kube.stop(second);
      await kube.peerPodGone(second);
      expect(kube.instanceIds()).toEqual([]);
    });

    it("shares its object with other writers: what they wrote stays, and only our finalizer goes", async () => {
      const pod = { name: "shared", sandboxId: "shared-1" };
      await kube.api.pod(pod.name, "default");
      await kube.daemon();
      await kube.create(pod);
      const key = { namespace: "default", name: peerPodName(pod.name, pod.sandboxId) };
      const { peerPods } = kube.api;
      kube.beforeCreate = async () => {
        const intent = await peerPods.get(key);
        const finalizers = ["example.org/other", ...(intent.metadata.finalizers ?? [])];
        await peerPods.patch(key, { metadata: { finalizers, labels: { team: "blue" } } });
        const deleting = {
          type: "Deleting",
          status: "True",
          reason: "CloudUnavailable",
          message: "another's",
        } as const;
        await peerPods.setStatus(await peerPods.get(key), { phase: "Requested", conditions: [deleting] });
      };
      await kube.start(pod);
      const { status } = await kube.peerPodUntil(pod, "runs", runs);
      expect(status.conditions?.map(({ type }) => type).toSorted()).toEqual([
        "Created",
        "Deleting",
        "Running",
      ]);
      await kube.stop(pod);
      const left = await kube.peerPodUntil(
        pod,
        "is let go of",
        ({ metadata }) => metadata.deletionTimestamp !== undefined,
      );
      expect(left.metadata).toMatchObject({ finalizers: ["example.org/other"], labels: { team: "blue" } });
      await peerPods.patch(key, { metadata: { finalizers: [] } });
      await kube.peerPodGone(pod);
    });

    it("overwrites nobody's object, and is recorded once that is out of the way", async () => {
      const pod = { name: "taken", sandboxId: "taken-1" };
      await kube.api.pod(pod.name, "default");
      const name = peerPodName(pod.name, pod.sandboxId);
      const foreign = peerPodObject(
        name,
        { cloudProvider: "fake", instanceID: "i-other" },
        { finalizers: [] },
      );
      await kube.api.peerPods.create(foreign, { namespace: "default" });
      await kube.daemon();
      await kube.create(pod);
      await kube.start(pod);
      const told = await kube.eventsOf(pod.name, (texts) =>
        texts.some((text) => text.includes("NotRecorded")),
      );
      expect(told.join("\n")).toContain(`PeerPod default/${name} exists and is of sandbox none; delete it`);
      expect((await kube.peerPod(pod))?.spec.instanceID).toBe("i-other");
      await kube.api.peerPods.delete({ namespace: "default", name });
      await kube.peerPodUntil(pod, "runs", runs);
      await kube.stop(pod);
      await kube.peerPodGone(pod);
    });

    it("is recorded anew when somebody has removed the record of a VM that runs", async () => {
      const pod = { name: "removed", sandboxId: "removed-1" };
      await kube.api.pod(pod.name, "default");
      const first = await kube.daemon();
      await kube.create(pod);
      await kube.start(pod);
      const peerPod = await kube.peerPodUntil(pod, "runs", runs);
      await kube.end(first);
      await kube.api.peerPods.release(peerPod);
      await kube.api.peerPods.delete({ namespace: "default", name: peerPod.metadata.name });
      await kube.daemon();
      const again = await kube.peerPodUntil(pod, "runs", runs);
      expect(again.metadata.uid).not.toBe(peerPod.metadata.uid);
      expect(again.spec).toEqual(peerPod.spec);
      await kube.stop(pod);
      await kube.peerPodGone(pod);
    });

    it("of a sandbox without a Pod ends with the daemon's release: nobody else would remove the object", async () => {
      const pod = { name: "no-such-pod", sandboxId: "lonely-1" };
      await kube.daemon();
      await kube.create(pod);
      await kube.start(pod);
      const { metadata } = await kube.peerPodUntil(pod, "runs", runs);
      expect(metadata.ownerReferences).toBeUndefined();
      await kube.stop(pod);
      await kube.peerPodGone(pod);
      await until("no instance", () => kube.instanceIds().length === 0);
    });
  },
);
