import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { namespaces, resource } from "@peerpods/peerpod-ctrl";
import type { PeerPod } from "@peerpods/peerpod-ctrl";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { installCrd } from "../../../peerpod-ctrl/src/testing/cluster.ts";
import { KubeWorld } from "./testing/kube-world.ts";

const missing = await missingBinaries();

describe.skipIf(missing !== undefined)(
  `while the API server does not do its part${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let kube: KubeWorld;
    beforeAll(async () => {
      await prepareBinaries();
      kube = await KubeWorld.start({ crd: false });
    }, 1_800_000);
    afterAll(() => kube?.[Symbol.asyncDispose]());
    afterEach(() => kube?.reset());

    const runs = ({ status }: PeerPod) => status.phase === "Running";
    const journal = () => readdir(join(kube.nodeDir, "d1/state/journal/sandboxes"));

    it("lacks the CRD: pods start and stop, the Pod's Events say what to install, and then it is recorded", async () => {
      const [stays, goes] = [
        { name: "stays", sandboxId: "crd-1" },
        { name: "goes", sandboxId: "crd-2" },
      ];
      await kube.daemon();
      for (const pod of [stays, goes]) {
        await kube.api.pod(pod.name, "default");
        await kube.create(pod);
        await kube.start(pod);
      }
      await kube.stop(goes);
      await until("the second is gone", async () => (await journal()).length === 1);
      const told = await kube.eventsOf("stays", (texts) =>
        texts.some((text) => text.includes("NotRecorded")),
      );
      expect(told.join("\n")).toMatch(/Warning PeerPodNotRecorded: .*install its CRD/);
      await installCrd(kube.api.kube);
      await kube.peerPodUntil(stays, "runs", runs);
      await kube.stop(stays);
      await kube.peerPodGone(stays);
    });

    it("is away, over a restart of the daemon too: pods start and stop, and it gets everything afterwards", async () => {
      const [before, during] = [
        { name: "before", sandboxId: "away-1" },
        { name: "during", sandboxId: "away-2" },
      ];
      for (const { name } of [before, during]) await kube.api.pod(name, "default");
      const first = await kube.daemon();
      await kube.create(before);
      await kube.start(before);
      await kube.peerPodUntil(before, "runs", runs);

      await kube.api.cluster.pause();
      await kube.create(during);
      await kube.start(during);
      await kube.stop(before);
      await until("the VM is deleted all the same", () => kube.instanceIds().length === 1);
      expect((await journal()).toSorted()).toEqual(["away-1.json", "away-2.json"]);
      await kube.end(first);
      const second = await kube.daemon();
      expect(second.output).toContain('"adopted":["away-2"]');
      // The pods of the limit are those that live, whatever waits to be told.
      await kube.create({ name: "another", sandboxId: "away-3" });
      await kube.stop({ name: "another", sandboxId: "away-3" });

      await kube.api.cluster.resume();
      await kube.peerPodGone(before);
      const caughtUp = await kube.peerPodUntil(during, "runs", runs);
      expect(caughtUp.spec.instanceID).toBe(kube.instanceIds()[0]);
      expect(caughtUp.metadata.ownerReferences?.[0]).toMatchObject({ kind: "Pod", name: "during" });
      await kube.stop(during);
      await kube.peerPodGone(during);
      await until("nothing is left in the journal", async () => (await journal()).length === 0);
    });

    it("is away at the very first start: a made-up cluster id until it answers, which those who have it keep", async () => {
      const [early, late] = [
        { name: "early", sandboxId: "first-1" },
        { name: "late", sandboxId: "first-2" },
      ];
      for (const { name } of [early, late]) await kube.api.pod(name, "default");
      const { metadata } = await resource(kube.api.kube, namespaces).get({ name: "kube-system" });
      const tags: (string | undefined)[] = [];
      kube.beforeCreate = async (request) => void tags.push(request.tags["peerpods-cluster"]);
      await kube.api.cluster.pause();
      const program = await kube.daemon();
      await kube.create(early);
      await kube.start(early);
      await kube.api.cluster.resume();
      await program.says("new sandboxes are marked with another cluster id");
      await kube.create(late);
      await kube.start(late);
      expect(tags[0]).toMatch(/^[0-9a-f-]{36}$/);
      expect(tags[0]).not.toBe(metadata.uid);
      expect(tags[1]).toBe(metadata.uid);
      const peerPod = await kube.peerPodUntil(early, "runs", runs);
      expect(Object.values(peerPod.metadata.annotations ?? {})).toEqual([tags[0]]);
      await kube.stop(early);
      await kube.stop(late);
      await kube.peerPodGone(early);
      await kube.peerPodGone(late);
      expect(kube.instanceIds()).toEqual([]);
    });
  },
);
