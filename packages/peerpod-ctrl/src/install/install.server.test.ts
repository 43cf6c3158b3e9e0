import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { helmBinary, missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { kubeOf, peerPodObject } from "../testing/cluster.ts";
import { createPeerPodClient } from "../api/client.ts";
import { FORCE_RELEASE_ANNOTATION } from "../api/names.ts";
import { isKubernetesError } from "../kubernetes/errors.ts";
import { startCluster, type Cluster } from "@peerpods/test-cluster";
import { packageVersion as version } from "../release.ts";
import { keyOfObject, resourceOf } from "./apply/kinds.ts";
import { chartDirectory } from "./chart/chart-directory.ts";
import { loadValues } from "./load-values.ts";
import { installObjects } from "./objects/index.ts";
import type { KubeObject } from "./objects/kube-object.ts";
import { freePort, until } from "@peerpods/test-harness";
import { runCommand, startProgram, type CommandRun } from "../testing/run-command.ts";

const missing = await missingBinaries();
const chart = fileURLToPath(chartDirectory);
const NAMESPACE = "confidential-containers-system";

describe.skipIf(missing !== undefined)(`install${missing === undefined ? "" : ` (${missing})`}`, () => {
  let helm: string;
  let cluster: Cluster;
  let dir: string;
  const kubeconfig = () => join(dir, "kubeconfig");

  beforeAll(async () => {
    helm = await helmBinary();
    await prepareBinaries(["kube-apiserver", "kube-controller-manager"]);
    dir = await mkdtemp(join(tmpdir(), "peerpods-install-"));
    cluster = await startCluster({ controllerManager: true });
    await writeFile(kubeconfig(), cluster.kubeconfig(), { mode: 0o600 });
  }, 1_800_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  const kube = () => kubeOf(cluster.kubeconfig());
  const command = (...argv: string[]): Promise<CommandRun> =>
    runCommand([...argv, `--kubeconfig=${kubeconfig()}`]);
  const live = async (object: KubeObject) =>
    await resourceOf(kube(), object)
      .get(keyOfObject(object))
      .then(
        (found) => found as unknown as KubeObject,
        (error: unknown) => {
          if (isKubernetesError(error)) return undefined;
          throw error;
        },
      );
  const objects = async (settings: readonly string[] = []) =>
    installObjects({ values: await loadValues({ files: [], settings }), namespace: NAMESPACE, version });

  it("prints the objects, applies them, again without a change, says what is not ready, and removes them", async () => {
    const settings = ["resourceCtrl.replicas=0"];
    const printed = await command("install", `--set=${settings.join(",")}`);
    const expected = await objects(settings);
    expect(parseAllDocuments(printed.stdout).map((document) => document.toJS() as unknown)).toEqual(
      JSON.parse(JSON.stringify(expected)),
    );

    const applied = await command("install", "--apply", `--set=${settings.join(",")}`);
    expect(applied).toMatchObject({ code: 0 });
    expect(applied.stderr).toContain("applied DaemonSet agent-relay-daemonset");
    expect(applied.stderr).toMatch(/ready DaemonSet cloud-api-adaptor-daemonset: on no node/);
    const before = await Promise.all(expected.map(live));
    expect(before).not.toContain(undefined);
    await command("install", "--apply", `--set=${settings.join(",")}`);
    const after = await Promise.all(expected.map(live));
    expect(after.map(versionOf)).toEqual(before.map(versionOf));

    const waiting = await command("install", "--apply", "--timeout=8s");
    expect(waiting.code).toBe(1);
    expect(waiting.stderr).toContain(
      "Deployment peerpodctrl-controller-manager is not ready: 0 of 2 replicas",
    );

    expect(await command("uninstall")).toMatchObject({ code: 0 });
    for (const object of expected.filter(({ kind }) => kind !== "Namespace"))
      await until(`${object.kind} gone`, async () => (await live(object)) === undefined);
  });

  it("gives the controller's account all that the controller needs", async () => {
    expect((await command("install", "--apply", "--set=resourceCtrl.replicas=0")).code).toBe(0);
    const account = "peerpodctrl-controller-manager";
    const { status } = (await kube().request({
      verb: "create",
      method: "POST",
      path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`,
      group: "",
      resource: "serviceaccounts/token",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
    })) as { status: { token: string } };
    const config = JSON.parse(cluster.kubeconfig()) as { users: [{ user: { token: string } }] };
    config.users[0].user.token = status.token;
    await writeFile(join(dir, "account.kubeconfig"), JSON.stringify(config), { mode: 0o600 });
    const health = await freePort();
    await using program = startProgram([
      `--kubeconfig=${dir}/account.kubeconfig`,
      `--namespace=${NAMESPACE}`,
      "--leader-elect",
      `--state-dir=${dir}/state`,
      `--health-probe-bind-address=127.0.0.1:${health}`,
      "--metrics-bind-address=",
      "--sweep-interval=1s",
    ]);
    await until("it leads and has read all", async () => {
      const answer = await fetch(`http://127.0.0.1:${health}/readyz`);
      return (await answer.text()).includes("ok, leading");
    });
    await until("it has swept", () => program.log().includes('"msg":"swept"'));
    expect(program.log()).not.toContain("RBAC rule that is missing");
    await program[Symbol.asyncDispose]();
    expect(await program.done).toBe(0);
    expect(await command("uninstall")).toMatchObject({ code: 0 });
  });

  it("installs by helm what it installs itself", async () => {
    const { stdout } = await execa(helm, [
      "install",
      "peerpods",
      chart,
      `--namespace=${NAMESPACE}`,
      "--create-namespace",
      `--kubeconfig=${kubeconfig()}`,
      "--set=resourceCtrl.replicas=0",
    ]);
    expect(stdout).toContain("STATUS: deployed");
    const expected = await objects(["resourceCtrl.replicas=0"]);
    const byHelm = await Promise.all(expected.map(live));
    expect(byHelm).not.toContain(undefined);
    // What the installer would make of it: nothing but its own claim to the fields.
    expect((await command("install", "--apply", "--set=resourceCtrl.replicas=0")).code).toBe(0);
    const taken = await Promise.all(expected.map(live));
    expect(taken.map((object) => object?.["spec"])).toEqual(byHelm.map((object) => object?.["spec"]));
    expect(taken.map((object) => object?.["data"])).toEqual(byHelm.map((object) => object?.["data"]));
    expect(taken.map((object) => object?.["rules"])).toEqual(byHelm.map((object) => object?.["rules"]));
    await execa(helm, ["uninstall", "peerpods", `--namespace=${NAMESPACE}`, `--kubeconfig=${kubeconfig()}`]);
  });

  it("uninstalls nothing while a pod has a VM, waits for its end, and says what does not go", async () => {
    expect((await command("install", "--apply", "--set=resourceCtrl.replicas=0")).code).toBe(0);
    const peerPods = createPeerPodClient(kube());
    const { metadata } = await until("PeerPods served", () =>
      peerPods.create(peerPodObject("one", { cloudProvider: "x" }), { namespace: "default" }),
    );
    const refused = await command("uninstall");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("1 pods still run in VMs, and nothing was removed: default/one");
    const [runtimeClass] = (await objects()).filter(({ kind }) => kind === "RuntimeClass");
    if (runtimeClass === undefined) throw new Error("no RuntimeClass");
    expect(await live(runtimeClass)).toBeDefined();

    // No controller runs here, so nobody lets go of it.
    const stuck = await command("uninstall", "--delete-pods", "--timeout=5s");
    expect(stuck.code).toBe(1);
    expect(stuck.stderr).toContain(`do not go, so controller and daemon were left: default/one`);
    expect(stuck.stderr).toContain(FORCE_RELEASE_ANNOTATION);
    expect(await live(runtimeClass)).toBeUndefined();

    const ending = command("uninstall");
    await peerPods.release(await peerPods.get({ namespace: "default", name: metadata.name }));
    expect(await ending).toMatchObject({ code: 0 });
  });
});

function versionOf(object: KubeObject | undefined): unknown {
  const { resourceVersion, generation } = (object?.metadata ?? {}) as {
    resourceVersion?: string;
    generation?: number;
  };
  // Status is written all the time where there is one; its spec counts.
  return [object?.kind, generation ?? resourceVersion];
}
