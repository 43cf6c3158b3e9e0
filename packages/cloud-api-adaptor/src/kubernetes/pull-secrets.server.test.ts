import type { CreateInstanceRequest } from "@peerpods/cloud-providers";
import { pods, resource, secrets, serviceAccounts } from "@peerpods/peerpod-ctrl";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { KubeWorld } from "./testing/kube-world.ts";

const missing = await missingBinaries();
const namespace = "default";

describe.skipIf(missing !== undefined)(
  `pull secrets of a pod${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let kube: KubeWorld;
    beforeAll(async () => {
      await prepareBinaries();
      kube = await KubeWorld.start();
      await resource(kube.api.kube, serviceAccounts).create(
        { metadata: { name: "puller" }, imagePullSecrets: [{ name: "of-account" }] },
        { namespace },
      );
      const login = (auths: object) => ({ ".dockerconfigjson": JSON.stringify({ auths }) });
      await secret("of-account", login({ "a.example": { auth: "b2xk" }, "b.example": { auth: "Yg==" } }));
      await secret("of-pod", login({ "a.example": { auth: "bmV3", email: "me@example" } }));
      // Of another type, or the API server would not take it.
      await secret("broken", { ".dockerconfigjson": '{"auths": {"a.example": "canary' }, "Opaque");
      await secret("huge", login({ "a.example": { auth: "x".repeat(13_000) } }));
    }, 1_800_000);
    afterAll(() => kube?.[Symbol.asyncDispose]());
    afterEach(() => kube?.reset());

    async function secret(name: string, stringData: object, type = "kubernetes.io/dockerconfigjson") {
      await resource(kube.api.kube, secrets).create({ metadata: { name }, type, stringData }, { namespace });
    }

    /** Starts a pod with these secrets; gives the user data of its VM. */
    async function userDataOf(name: string, imagePullSecrets: readonly string[]): Promise<string> {
      const spec = {
        serviceAccountName: "puller",
        containers: [{ name: "c", image: "none" }],
        imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
      };
      await resource(kube.api.kube, pods).create({ metadata: { name }, spec }, { namespace });
      let asked: CreateInstanceRequest | undefined;
      kube.beforeCreate = async (request) => void (asked = request);
      const pod = { name, sandboxId: `pull-${name}` };
      await kube.create(pod);
      await kube.start(pod);
      await kube.stop(pod);
      await kube.peerPodGone(pod);
      return asked?.userData ?? "";
    }

    it("reach its VM: the account's, then the pod's own, each registry once", async () => {
      await kube.daemon();
      const auths = { "a.example": { auth: "bmV3" }, "b.example": { auth: "Yg==" } };
      expect(await userDataOf("ok", ["of-pod"])).toContain(
        `  - path: /run/peerpod/auth.json\n    content: |\n      ${JSON.stringify({ auths })}\n`,
      );
    });

    it("that are broken or do not exist are left out alone, and the Pod's Events name them", async () => {
      const program = await kube.daemon("-log-level=debug");
      const userData = await userDataOf("partly", ["broken", "nowhere", "of-pod"]);
      expect(userData).toContain('{"a.example":{"auth":"bmV3"}');
      const told = await kube.eventsOf(
        "partly",
        (texts) => texts.filter((text) => text.includes("Skipped")).length === 2,
      );
      expect(told.join("\n")).toMatch(
        /PullSecretSkipped: pull secret broken is left out: its .dockerconfigjson is not JSON/,
      );
      expect(told.join("\n")).toMatch(
        /PullSecretSkipped: pull secret nowhere is left out: it does not exist/,
      );
      expect(program.output + told.join("\n")).not.toContain("canary");
      expect(program.output).not.toContain("bmV3");
    });

    it("that do not fit into user data are told on the Pod, which starts without", async () => {
      await kube.daemon();
      expect(await userDataOf("large", ["huge"])).not.toContain("auth.json");
      const told = await kube.eventsOf("large", (texts) => texts.some((text) => text.includes("TooLarge")));
      expect(told.join("\n")).toMatch(
        /PullSecretsTooLarge: the pod's pull secrets make 13\d{3} bytes, and 12288 fit/,
      );
    });
  },
);
