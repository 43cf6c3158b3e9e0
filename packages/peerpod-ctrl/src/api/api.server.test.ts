import { readFile } from "node:fs/promises";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { silentLogger } from "@peerpods/cloud-providers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startInformer, type Change } from "../kubernetes/informer.ts";
import { installCrd, peerPodObject, startPeerPodCluster, type PeerPodCluster } from "../testing/cluster.ts";
import { buildPeerPod } from "./build-peerpod.ts";
import { createPeerPodClient } from "./client.ts";
import { crdFile, crdText } from "./crd-file.ts";
import { FINALIZER } from "./names.ts";
import type { PeerPod } from "./peerpod.ts";

const missing = await missingBinaries();

describe.skipIf(missing !== undefined)(`PeerPod API${missing === undefined ? "" : ` (${missing})`}`, () => {
  let api: PeerPodCluster;
  beforeAll(async () => {
    await prepareBinaries();
    api = await startPeerPodCluster({ crd: false, users: { nobody: [] } });
  }, 1_800_000);
  afterAll(() => api?.[Symbol.asyncDispose]());

  it("says what to install while the CRD is missing, then takes the committed one", async () => {
    await expect(api.peerPods.list()).rejects.toMatchObject({
      code: "missing_resource",
      message: expect.stringContaining("install its CRD"),
    });
    expect(await readFile(crdFile, "utf8")).toBe(crdText());
    await installCrd(api.kube);
    expect((await api.peerPods.list()).items).toEqual([]);
  });

  it("keeps every field of an intent, and prunes what it does not know", async () => {
    const intent = {
      clusterId: "c1",
      podName: "p".repeat(253),
      podNamespace: "default",
      podUid: "11111111-2222-3333-4444-555555555555",
      spec: {
        cloudProvider: "fake",
        sandboxID: "s1",
        nodeName: "node-1",
        token: "s1-abc-a2",
        earlierTokens: ["s1-abc-a1"],
      },
    };
    const object = buildPeerPod(intent);
    const made = await api.peerPods.create(
      { ...object, spec: { ...object.spec, unheardOf: 1 } },
      { namespace: "default" },
    );
    expect(made.metadata.name).toHaveLength(253);
    expect(made.spec).toEqual(intent.spec);
    expect(made.metadata.ownerReferences?.[0]).toMatchObject({ kind: "Pod", controller: true });
    // The name comes from the sandbox, so the same intent again meets the first one.
    await expect(api.peerPods.create(object, { namespace: "default" })).rejects.toMatchObject({
      code: "already_exists",
    });
    await api.peerPods.release(made);
    await api.peerPods.delete({ namespace: "default", name: made.metadata.name });
  });

  it.each([
    ["a token that no provider takes", { token: "UPPER" }, "spec.token"],
    ["an endless id", { instanceID: "i".repeat(2_049) }, "spec.instanceID"],
    ["too many earlier attempts", { earlierTokens: Array(33).fill("t") as string[] }, "spec.earlierTokens"],
  ])("refuses %s, naming the field", async (_why, spec, field) => {
    await expect(
      api.peerPods.create(peerPodObject("bad", spec), { namespace: "default" }),
    ).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining(field) });
  });

  it("sets the status with one request, and with none when it is so already", async () => {
    const made = await api.peerPods.create(peerPodObject("status", { instanceID: "i-1" }), {
      namespace: "default",
    });
    const change = {
      phase: "Running" as const,
      conditions: [
        {
          type: "Created" as const,
          status: "True" as const,
          reason: "InstanceCreated" as const,
          message: "i-1",
        },
      ],
    };
    const first = await api.peerPods.setStatus(made, change);
    expect(first.status).toMatchObject({ phase: "Running", observedGeneration: 1 });
    const second = await api.peerPods.setStatus(first, change);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    // Somebody who has not seen that must not undo it.
    await expect(api.peerPods.setStatus(made, { ...change, phase: "Failed" })).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("releases only its own finalizer, whoever moves it meanwhile, and never a successor's", async () => {
    const made = await api.peerPods.create(
      peerPodObject("held", {}, { finalizers: ["other.example/first", FINALIZER, "other.example/last"] }),
      { namespace: "default" },
    );
    const key = { namespace: "default", name: "held" };
    await api.peerPods.patch(key, [{ op: "remove", path: "/metadata/finalizers/0" }]);
    await api.peerPods.release(made);
    expect((await api.peerPods.get(key)).metadata.finalizers).toEqual(["other.example/last"]);
    await api.peerPods.release(made);

    await api.peerPods.patch(key, { metadata: { finalizers: [] } });
    await api.peerPods.delete(key, { uid: made.metadata.uid });
    await until("gone", () =>
      api.peerPods.get(key).then(
        () => false,
        () => true,
      ),
    );
    const successor = await api.peerPods.create(peerPodObject("held", {}), { namespace: "default" });
    await api.peerPods.release({ ...made, metadata: { ...made.metadata, finalizers: [FINALIZER] } });
    expect((await api.peerPods.get(key)).metadata.finalizers).toEqual([FINALIZER]);
    await expect(api.peerPods.delete(key, { uid: made.metadata.uid })).rejects.toMatchObject({
      code: "conflict",
    });
    await api.peerPods.release(successor);
    await api.peerPods.release(made);
  });

  it.each([
    ["list", () => createPeerPodClient(api.kubeFor("nobody")).list()],
    ["get", () => createPeerPodClient(api.kubeFor("nobody")).get({ namespace: "default", name: "x" })],
    [
      "create",
      () =>
        createPeerPodClient(api.kubeFor("nobody")).create(peerPodObject("x", {}), { namespace: "default" }),
    ],
    [
      "patch",
      () => createPeerPodClient(api.kubeFor("nobody")).patch({ namespace: "default", name: "status" }, {}),
    ],
    [
      "delete",
      () => createPeerPodClient(api.kubeFor("nobody")).delete({ namespace: "default", name: "status" }),
    ],
  ])("names the RBAC rule that is missing for %s", async (verb, act) => {
    await expect(act()).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringMatching(
        new RegExp(
          `apiGroups: \\["confidentialcontainers.org"\\], resources: \\["peerpods"\\], verbs: \\["${verb}"\\]`,
        ),
      ),
    });
  });

  it("keeps a cache through pages, changes, a broken watch and an API server that was away", async () => {
    await api.namespace("cache");
    for (let n = 0; n < 7; n += 1)
      await api.peerPods.create(peerPodObject(`p${n}`, {}, { finalizers: [] }), { namespace: "cache" });
    const changes: Change<PeerPod>[] = [];
    await using informer = startInformer(api.peerPods, {
      namespace: "cache",
      logger: silentLogger,
      signal: new AbortController().signal,
      onChange: (change) => changes.push(change),
      backoffMs: [50, 500],
      pageSize: 3,
      // Shorter than the pause between bookmarks, so the watch is cut and taken up again and again.
      idleMs: 700,
    });
    await informer.synced;
    expect(informer.list()).toHaveLength(7);
    await api.peerPods.patch({ namespace: "cache", name: "p0" }, { spec: { instanceID: "i-0" } });
    await until("the change is seen", () => informer.get("cache/p0")?.spec.instanceID === "i-0");
    expect(informer.lists).toBe(1);
    // A server that comes back does not know old versions (410), so the list is read again, and says nothing twice.
    await api.cluster.pause();
    await until("it knows that it is out of date", () => informer.stale() !== undefined);
    await api.cluster.resume();
    await api.peerPods.delete({ namespace: "cache", name: "p1" });
    await until("the deletion is seen", () => informer.get("cache/p1") === undefined);
    expect(changes.filter(({ type }) => type === "added")).toHaveLength(7);
  });
});
