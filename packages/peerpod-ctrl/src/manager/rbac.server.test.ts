import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { freePort, until } from "@peerpods/test-harness";
import { silentLogger } from "@peerpods/cloud-providers";
import { createFakeCloud, fakeProvider } from "@peerpods/cloud-providers/testing";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configMaps } from "../kubernetes/core.ts";
import { resource } from "../kubernetes/resource.ts";
import { peerPodObject, startPeerPodCluster, type PeerPodCluster } from "../testing/cluster.ts";
import { startProgram } from "../testing/run-command.ts";
import { createHand, type Hand } from "../testing/scenario.ts";
import { clusterRules, namespacedRules, type PolicyRule } from "./rbac-rules.ts";

const missing = await missingBinaries();
const rbac = "rbac.authorization.k8s.io";
const subjects = [{ kind: "User", name: "controller", apiGroup: rbac }];

describe.skipIf(missing !== undefined)(`RBAC${missing === undefined ? "" : ` (${missing})`}`, () => {
  const cloud = createFakeCloud();
  let api: PeerPodCluster;
  let hand: Hand;
  let dir: string;

  beforeAll(async () => {
    await prepareBinaries();
    dir = await mkdtemp(join(tmpdir(), "peerpod-ctrl-rbac-"));
    api = await startPeerPodCluster({ users: { controller: [] } });
    hand = await createHand(api, cloud);
    await writeFile(`${dir}/kubeconfig`, api.cluster.kubeconfig("controller"));
    await resource(api.kube, configMaps).create(
      {
        metadata: { name: "peer-pods-cm" },
        data: { FAKE_ACCESS_KEY: "fake-access-key", CLOUD_PROVIDER: "fake" },
      },
      { namespace: "default" },
    );
    const role = (kind: string, rules: readonly PolicyRule[]) => ({
      metadata: { name: "controller" },
      kind,
      rules,
    });
    const roleRef = (kind: string) => ({ apiGroup: rbac, kind, name: "controller" });
    await rbacResource("clusterroles").create(role("ClusterRole", clusterRules), {});
    await rbacResource("clusterrolebindings").create(
      { metadata: { name: "controller" }, roleRef: roleRef("ClusterRole"), subjects },
      {},
    );
    await rbacResource("roles").create(role("Role", namespacedRules()), { namespace: "default" });
    await rbacResource("rolebindings").create(
      { metadata: { name: "controller" }, roleRef: roleRef("Role"), subjects },
      { namespace: "default" },
    );
  }, 1_800_000);
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  function rbacResource(plural: string) {
    return resource(api.kube, { group: rbac, version: "v1", plural, parse: (input) => input });
  }

  async function setRules(at: "clusterroles" | "roles", rules: readonly PolicyRule[]): Promise<void> {
    const key = { name: "controller", ...(at === "roles" ? { namespace: "default" } : {}) };
    await rbacResource(at).patch(key, { rules });
  }

  /** The program in this process, as the user that has exactly the published rules. */
  async function start() {
    return startProgram(
      [
        `--kubeconfig=${dir}/kubeconfig`,
        "--namespace=default",
        "--leader-elect",
        `--state-dir=${dir}/state`,
        `--health-probe-bind-address=127.0.0.1:${await freePort()}`,
        "--metrics-bind-address=",
        "--sweep-interval=1s",
        "--sweep-grace=1h",
      ],
      [fakeProvider(cloud)],
    );
  }

  const clusterId = async () =>
    await resource(api.kube, { group: "", version: "v1", plural: "namespaces", parse: uidOf }).get({
      name: "kube-system",
    });

  it("works with exactly the published rules, and lacks none", async () => {
    await using program = await start();
    const peerPod = await hand.peerPod({
      name: "allowed",
      namespace: "default",
      clusterId: await clusterId(),
    });
    const stuck = await api.peerPods.create(
      peerPodObject("shown", { cloudProvider: "nimbus", instanceID: "i" }),
      {
        namespace: "default",
      },
    );
    for (const { metadata } of [peerPod, stuck])
      await api.peerPods.delete({ namespace: "default", name: metadata.name });
    await until("released", async () => (await api.peerPods.list()).items.length === 1, {
      timeoutMs: 60_000,
    });
    await until("swept", () => program.log().includes('"msg":"swept"'), { timeoutMs: 60_000 });
    await until("shown", async () => (await api.peerPods.list()).items[0]?.status.phase === "Stuck");
    await api.peerPods.release(stuck);
    expect(program.log()).not.toContain("RBAC rule that is missing");
    expect(cloud.count().instances).toBe(0);
  }, 120_000);

  const without = (rules: readonly PolicyRule[], resourceName: string, verb: string) =>
    rules.flatMap((rule) =>
      rule.resources.includes(resourceName)
        ? [{ ...rule, verbs: rule.verbs.filter((word) => word !== verb), resources: [resourceName] }].filter(
            ({ verbs }) => verbs.length > 0,
          )
        : [rule],
    );

  it.each([
    ["roles", "configmaps", "list", ""],
    ["roles", "configmaps", "watch", ""],
    ["roles", "secrets", "list", ""],
    ["roles", "leases", "get", "coordination.k8s.io"],
    ["roles", "leases", "update", "coordination.k8s.io"],
    ["clusterroles", "namespaces", "get", ""],
    ["clusterroles", "peerpods", "list", "confidentialcontainers.org"],
    ["clusterroles", "peerpods", "watch", "confidentialcontainers.org"],
    ["clusterroles", "peerpods", "patch", "confidentialcontainers.org"],
    ["clusterroles", "peerpods/status", "patch", "confidentialcontainers.org"],
    ["clusterroles", "events", "create", ""],
    ["clusterroles", "nodes", "get", ""],
  ] as const)(
    "%s without %s %s: the message names the rule",
    async (at, name, verb, group) => {
      const rules = at === "roles" ? namespacedRules() : clusterRules;
      await setRules(at, without(rules, name, verb));
      const id = await clusterId();
      const suffix = `${name.replace("/", "-")}-${verb}`;
      const instance = await hand.instance({ name: `orphan-${suffix}`, namespace: "default", clusterId: id });
      const stuck = await api.peerPods.create(
        peerPodObject(`stuck-${suffix}`, { cloudProvider: "nimbus", instanceID: "i" }),
        {
          namespace: "default",
        },
      );
      const peerPod = await hand.peerPod({ name: `pod-${suffix}`, namespace: "default", clusterId: id });
      await api.peerPods.delete({ namespace: "default", name: peerPod.metadata.name });
      await api.peerPods.delete({ namespace: "default", name: stuck.metadata.name });
      {
        await using program = await start();
        const rule = `apiGroups: [\\"${group}\\"], resources: [\\"${name}\\"], verbs: [\\"${verb}\\"]`;
        // The program's own one-line error is not JSON.
        await until(
          "the rule is named",
          () => program.log().includes(rule) || program.log().includes(rule.replaceAll("\\", "")),
          { timeoutMs: 60_000 },
        );
      }
      await setRules(at, rules);
      await api.peerPods.release(peerPod);
      await api.peerPods.release(stuck);
      await hand.provider.deleteInstance({ instanceId: instance, tags: {} }, callOf());
      await hand.provider.deleteInstance({ instanceId: peerPod.spec.instanceID ?? "", tags: {} }, callOf());
      expect(cloud.count().instances).toBe(0);
    },
    120_000,
  );
});

function uidOf(input: unknown): string {
  return (input as { metadata: { uid: string } }).metadata.uid;
}

function callOf() {
  return { signal: AbortSignal.timeout(10_000), logger: silentLogger };
}
