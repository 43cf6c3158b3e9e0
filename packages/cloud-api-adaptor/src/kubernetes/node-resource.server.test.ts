import { silentLogger } from "@peerpods/cloud-providers";
import { FakeClock } from "@peerpods/cloud-providers/testing";
import { nodes, resource } from "@peerpods/peerpod-ctrl";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { advertiseNode } from "./node-resource.ts";
import type { NodeResourceOptions } from "./node-resource.ts";
import { KubeWorld } from "./testing/kube-world.ts";

const missing = await missingBinaries();
const anyTime = { signal: new AbortController().signal };

describe.skipIf(missing !== undefined)(
  `the node's extended resource${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let kube: KubeWorld;
    beforeAll(async () => {
      await prepareBinaries();
      kube = await KubeWorld.start();
    }, 1_800_000);
    afterAll(() => kube?.[Symbol.asyncDispose]());
    afterEach(() => kube?.reset());

    const api = () => resource(kube.api.kube, nodes);
    const node = async (name: string) => {
      const { metadata, status } = await api().get({ name });
      return [
        metadata.annotations?.["kata.peerpods.io/caa-owner"],
        status?.capacity?.["kata.peerpods.io/vm"],
      ];
    };
    const make = (name: string) => api().create({ metadata: { name } }, {});
    const advertise = (nodeName: string, change: Partial<NodeResourceOptions> = {}) =>
      advertiseNode(kube.api.kubeFor("daemon"), {
        nodeName,
        limit: 7,
        podUid: "pod-a",
        clock: new FakeClock(),
        logger: silentLogger,
        ...change,
      });

    it("is offered by the daemon while it works, with its pod as the owner", async () => {
      await make("node-1");
      const program = await kube.daemon("-pod-uid=pod-a", "-peerpods-limit-per-node=7");
      await program.says("node offers pod VMs");
      expect(await node("node-1")).toEqual(["pod-a", "7"]);
      await kube.end(program);
      expect(await node("node-1")).toEqual(["pod-a", undefined]);
    });

    it("is left to the daemon that has taken the node over", async () => {
      await make("node-2");
      const [old, next] = [advertise("node-2"), advertise("node-2", { podUid: "pod-b", limit: 9 })];
      await old.advertised;
      await next.advertised;
      await until("the later one has it", async () => (await node("node-2"))[0] !== undefined);
      await api().patch(
        { name: "node-2" },
        { metadata: { annotations: { "kata.peerpods.io/caa-owner": "pod-b" } } },
      );
      await old.withdraw(anyTime);
      expect((await node("node-2"))[1]).toBeDefined();
      await next.withdraw(anyTime);
      expect(await node("node-2")).toEqual(["pod-b", undefined]);
      await next.withdraw(anyTime);
    });

    it("is offered again when the Node was made anew, and no more by one who has lost it", async () => {
      await make("node-3");
      const clock = new FakeClock();
      await using offer = advertise("node-3", { clock });
      await offer.advertised;
      await api().delete({ name: "node-3" });
      await make("node-3");
      await until("offered again", async () => {
        await clock.advance(300_000);
        return (await node("node-3"))[1] === "7";
      });
      await api().patch(
        { name: "node-3" },
        { metadata: { annotations: { "kata.peerpods.io/caa-owner": "pod-b" } } },
      );
      await api().patch(
        { name: "node-3" },
        [{ op: "replace", path: "/status/capacity/kata.peerpods.io~1vm", value: "1" }],
        {
          subresource: "status",
        },
      );
      await clock.advance(300_000);
      await offer.withdraw(anyTime);
      expect(await node("node-3")).toEqual(["pod-b", "1"]);
    });

    it("waits for a Node that does not exist yet", async () => {
      const clock = new FakeClock();
      await using offer = advertise("node-4", { clock, podUid: "" });
      await until("it was asked", async () =>
        (await kube.api.cluster.auditLog()).some(({ objectRef }) => objectRef?.name === "node-4"),
      );
      await make("node-4");
      await until("offered", async () => {
        await clock.advance(60_000);
        return (await node("node-4"))[1] === "7";
      });
      expect(await node("node-4")).toEqual([undefined, "7"]);
      await offer.withdraw(anyTime);
      expect(await node("node-4")).toEqual([undefined, undefined]);
    });

    it("is left alone when there is no limit, and when nobody gave the node's name", async () => {
      await make("node-5");
      for (const flags of [["-node-name=node-5", "-peerpods-limit-per-node=-1"], ["-node-name="]]) {
        const program = await kube.daemon(...flags);
        await kube.end(program);
        expect(program.output).not.toContain("offers");
      }
      expect(await node("node-5")).toEqual([undefined, undefined]);
    });
  },
);
