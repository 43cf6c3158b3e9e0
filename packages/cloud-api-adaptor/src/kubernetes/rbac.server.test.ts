import { daemonRules } from "@peerpods/peerpod-ctrl";
import type { PolicyRule } from "@peerpods/peerpod-ctrl";
import { nodes, resource } from "@peerpods/peerpod-ctrl";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { FakeClock } from "@peerpods/cloud-providers/testing";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunningProgram } from "../daemon/testing/running-program.ts";
import { advertiseNode } from "./node-resource.ts";
import { KubeWorld, permit } from "./testing/kube-world.ts";
import type { TestPod } from "./testing/kube-world.ts";

const missing = await missingBinaries();
const peerPodGroup = "confidentialcontainers.org";

/** The rules without one verb of one resource. */
function without(name: string, verb: string): readonly PolicyRule[] {
  const left = daemonRules.map((rule) =>
    rule.resources.includes(name) ? { ...rule, verbs: rule.verbs.filter((word) => word !== verb) } : rule,
  );
  return left.filter(({ verbs }) => verbs.length > 0);
}

const ruleText = (group: string, name: string, verb: string) =>
  `apiGroups: ["${group}"], resources: ["${name}"], verbs: ["${verb}"]`;

describe.skipIf(missing !== undefined)(
  `the daemon's rights${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let kube: KubeWorld;
    beforeAll(async () => {
      await prepareBinaries();
      kube = await KubeWorld.start();
      await resource(kube.api.kube, nodes).create({ metadata: { name: "node-1" } }, {});
    }, 1_800_000);
    afterAll(() => kube?.[Symbol.asyncDispose]());
    afterEach(() => kube?.reset());

    /** A whole life with a restart of the daemon in it, and with a pull secret; gives what the daemons said. */
    async function live(pod: TestPod): Promise<() => string> {
      const programs: RunningProgram[] = [await kube.daemon("-pod-uid=pod-a")];
      await kube.create(pod);
      await kube.start(pod);
      await kube.end(programs[0]!);
      programs.push(await kube.daemon("-pod-uid=pod-a"));
      await kube.stop(pod);
      return () => programs.map(({ output }) => output.replaceAll("\\", "")).join("");
    }

    it("suffice for a whole life", async () => {
      const pod = { name: "allowed", sandboxId: "allowed-1" };
      await kube.api.pod(pod.name, "default");
      const said = await live(pod);
      await kube.peerPodGone(pod);
      expect(said()).toContain("node offers pod VMs");
      expect(said()).not.toContain("RBAC rule that is missing");
      await kube.eventsOf(pod.name, (texts) => texts.length >= 5);
    });

    it.each([
      [peerPodGroup, "peerpods", "create"],
      [peerPodGroup, "peerpods", "get"],
      [peerPodGroup, "peerpods", "patch"],
      [peerPodGroup, "peerpods", "delete"],
      [peerPodGroup, "peerpods/status", "patch"],
      ["", "pods", "get"],
      ["", "serviceaccounts", "get"],
      ["", "events", "create"],
      ["", "nodes", "patch"],
      ["", "nodes/status", "patch"],
      ["", "namespaces", "get"],
    ])(
      "without %s %s %s: the log names the rule, pods live, and it is made up for",
      async (group, name, verb) => {
        const pod = {
          name: `no-${name.replace("/", "-")}-${verb}`,
          sandboxId: `${name.replace("/", "-")}-${verb}`,
        };
        await kube.api.pod(pod.name, "default");
        await permit(kube.api, "daemon", without(name, verb));
        const said = await live(pod);
        await until("the rule is named", () => said().includes(ruleText(group, name, verb)), {
          timeoutMs: 60_000,
        });
        await until("the VM is gone all the same", () => kube.instanceIds().length === 0);
        await permit(kube.api, "daemon", daemonRules);
        await kube.peerPodGone(pod);
        await until("the last daemon is done", () => said().includes("sandbox is gone"), {
          timeoutMs: 90_000,
        });
      },
    );

    it("without secrets get: the Pod's Event names the rule", async () => {
      const pod = { name: "no-secrets-get", sandboxId: "secrets-get" };
      await resource(kube.api.kube, {
        group: "",
        version: "v1",
        plural: "pods",
        parse: (input) => input,
      }).create(
        {
          metadata: { name: pod.name },
          spec: { containers: [{ name: "c", image: "none" }], imagePullSecrets: [{ name: "some" }] },
        },
        { namespace: "default" },
      );
      await permit(kube.api, "daemon", without("secrets", "get"));
      await live(pod);
      await permit(kube.api, "daemon", daemonRules);
      const told = await kube.eventsOf(pod.name, (texts) => texts.some((text) => text.includes("Skipped")));
      expect(told.join("\n")).toContain(ruleText("", "secrets", "get"));
      await kube.peerPodGone(pod);
    });

    it("without nodes get: the log names the rule when the node is looked at again", async () => {
      await permit(kube.api, "daemon", without("nodes", "get"));
      const clock = new FakeClock();
      let log = "";
      const logger = pino(
        { level: "info" },
        { write: (line: string) => void (log += line.replaceAll("\\", "")) },
      );
      const options = { nodeName: "node-1", limit: 1, podUid: "pod-a", clock, logger };
      await using offer = advertiseNode(kube.api.kubeFor("daemon"), options);
      await offer.advertised;
      await until("the rule is named", async () => {
        await clock.advance(300_000);
        return log.includes(ruleText("", "nodes", "get"));
      });
      await permit(kube.api, "daemon", daemonRules);
    });
  },
);
