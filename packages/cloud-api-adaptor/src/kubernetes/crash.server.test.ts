import { pods, resource, secrets } from "@peerpods/peerpod-ctrl";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WholeCluster } from "./testing/whole-cluster.ts";

const missing = await missingBinaries();
const namespace = "default";

describe.skipIf(missing !== undefined)(
  `daemon, controller and garbage collector together${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let whole: WholeCluster;
    beforeAll(async () => {
      await prepareBinaries(["kube-apiserver", "kube-controller-manager"]);
      whole = await WholeCluster.start();
    }, 1_800_000);
    afterAll(() => whole?.[Symbol.asyncDispose]());

    const removePod = (name: string) => resource(whole.api.kube, pods).delete({ namespace, name });

    /**
     * Two pods whose daemon is killed with -9 while they start: one has its intent recorded and no instance yet, the other an
     * instance that nobody has been told of. Afterwards the cloud has made both.
     */
    async function killWhileStarting(early: string, late: string): Promise<void> {
      const reached = new Set<string>();
      const go = Promise.withResolvers<void>();
      const hold = (who: string) => async (podName: string) => {
        if (podName !== who) return;
        reached.add(podName);
        await go.promise;
      };
      whole.moments.before = hold(early);
      whole.moments.after = hold(late);
      for (const name of [early, late]) await whole.api.pod(name, namespace);
      await using victim = await whole.daemon();
      const starting = [early, late].map((name) => whole.start(name).catch(() => undefined));
      await until("both are being made", () => reached.size === 2, { timeoutMs: 60_000 });
      for (const name of [early, late]) {
        const { spec } = (await whole.peerPodOf(name)) ?? {};
        expect(spec?.token).toMatch(/-a1$/);
        expect(spec?.instanceID).toBeUndefined();
      }
      victim.kill("SIGKILL");
      await victim.ended;
      go.resolve();
      await Promise.all(starting);
      await until("the cloud has made both", () => whole.cloud.count().instances === 2);
    }

    it("a whole life takes at most ten requests of daemon and controller together, on a slow cloud with a pull secret", async ({
      annotate,
    }) => {
      const name = "counted";
      const { kube, cluster } = whole.api;
      const dockerconfig = JSON.stringify({ auths: { "a.example": { auth: "YQ==" } } });
      await resource(kube, secrets).create(
        {
          metadata: { name: "login" },
          type: "kubernetes.io/dockerconfigjson",
          stringData: { ".dockerconfigjson": dockerconfig },
        },
        { namespace },
      );
      const containers = [{ name: "c", image: "none" }];
      await resource(kube, pods).create(
        { metadata: { name }, spec: { containers, imagePullSecrets: [{ name: "login" }] } },
        { namespace },
      );
      await using _daemon = await whole.daemon();
      const before = (await cluster.auditLog()).length;
      // Slow enough for a status in between.
      const requested = async () => (await whole.peerPodOf(name))?.status.phase === "Requested";
      whole.moments.before = async () => void (await until("requested is shown", requested));
      await whole.start(name);
      await until("runs", async () => (await whole.peerPodOf(name))?.status.phase === "Running");
      // As the kubelet does: the sandbox is stopped, then the Pod goes, while the cloud still deletes.
      whole.cloud.latencyMs = 2_000;
      await whole.stop(name);
      await removePod(name);
      await whole.nothingLeft();
      await whole.journalEmpty();
      whole.cloud.latencyMs = 0;

      const requests = (await cluster.auditLog()).slice(before).flatMap(({ user, verb, objectRef }) => {
        const { resource = "", subresource = "" } = objectRef ?? {};
        // Watches, leases, node and namespace are asked for once for all pods.
        const isOfPod = ["peerpods", "pods", "secrets", "serviceaccounts"].includes(resource);
        const isOurs = ["daemon", "controller"].includes(user.username);
        if (!isOfPod || !isOurs || ["list", "watch"].includes(verb)) return [];
        return [`${user.username}: ${verb} ${resource}${subresource === "" ? "" : `/${subresource}`}`];
      });
      expect(requests).toContain("daemon: create peerpods");
      expect(requests.length, requests.join("\n")).toBeLessThanOrEqual(10);
      await annotate(`${requests.length} requests: ${requests.join(", ")}`);
    }, 240_000);

    it("a daemon killed between intent and instance, and between instance and record: the next one deletes and releases", async () => {
      await killWhileStarting("next-early", "next-late");
      await using _next = await whole.daemon();
      await whole.nothingLeft();
      await whole.journalEmpty();
      for (const name of ["next-early", "next-late"]) await removePod(name);
    }, 240_000);

    it("the same, and no daemon comes back: the Pods go, their PeerPods are collected, the controller deletes by token", async () => {
      await killWhileStarting("lost-early", "lost-late");
      for (const name of ["lost-early", "lost-late"]) await removePod(name);
      await whole.nothingLeft();
      // One that comes back after all has nothing to do but to forget.
      await using _late = await whole.daemon();
      await whole.journalEmpty();
    }, 240_000);
  },
);
