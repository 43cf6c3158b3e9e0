import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareNode, startNode, type Node } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingForImages } from "../images/container.ts";
import { missingShim } from "../stage/containerd.ts";
import { buildBusyboxImage } from "../stage/image.ts";
import { prepareNodeShim } from "./node-shim.ts";
import { IMAGE, pod, SERVE, settings as configMap } from "./objects.ts";

const repository = join(import.meta.dirname, "../../../..");
const NAMESPACE = "confidential-containers-system";
/** Directories of the node that the manifests name. */
const ofTheNode = ["/run/peerpod", "/var/lib/peerpods"];
/** A place of the node that the daemon's container has too. */
const imageDirectory = "/var/lib/peerpods/images";
const missing = await whyNot();
const noShim = await missingShim();

async function whyNot(): Promise<string | undefined> {
  if (process.env["PEERPODS_NODE"] !== "1")
    return "takes minutes: set PEERPODS_NODE=1 to run kubelet, containerd and the whole installation";
  for (const path of ofTheNode)
    if (existsSync(path)) return `needs a machine without ${path}, which the installation makes`;
  const { exitCode } = await execa("kubectl", ["version", "--client"], { reject: false });
  return exitCode === 0 ? await missingForImages() : "needs kubectl in PATH";
}

const settings = [
  "image.name=localhost/peerpods/cloud-api-adaptor",
  "image.pullPolicy=Never",
  "resourceCtrl.image.repository=localhost/peerpods/peerpod-ctrl",
  "resourceCtrl.image.pullPolicy=Never",
  `providerConfigs.local.LOCAL_IMAGE_DIR=${imageDirectory}`,
  "providerConfigs.local.LOCAL_CACHE_DIR=/var/lib/peerpods/cache",
];

describe.skipIf(missing !== undefined)(`a whole node${missing === undefined ? "" : ` (${missing})`}`, () => {
  const stage = new AsyncDisposableStack();
  let node: Node;

  beforeAll(async () => {
    await prepareNode();
    for (const path of ofTheNode) stage.defer(() => rm(path, { recursive: true, force: true }));
    const shim = noShim === undefined ? stage.use(await prepareNodeShim()) : undefined;
    node = stage.use(await startNode(shim?.options));
    await shim?.connect(node, "/run/peerpod/hypervisor.sock");
    await node.importImage(await buildBusyboxImage(imageDirectory, "localhost/busybox"), "latest", IMAGE);
    const images = join(node.directory, "images");
    await execa(process.execPath, ["scripts/build-images.ts", images], {
      cwd: repository,
      env: { PROVIDERS: "local" },
    });
    for (const name of ["cloud-api-adaptor", "peerpod-ctrl"])
      await node.importImage(join(images, name), "0.1.0", `localhost/peerpods/${name}:0.1.0`);
    await writeFile(join(node.directory, "kubeconfig"), node.cluster.kubeconfig(), { mode: 0o600 });
    await until(
      "node is ready",
      async () => {
        const { stdout } = await kubectl("get", "node", node.name, "--no-headers");
        return / Ready /.test(stdout);
      },
      { timeoutMs: 120_000 },
    );
  }, 1_800_000);
  afterAll(async () => {
    await stage.disposeAsync();
  }, 120_000);

  const kubeconfig = () => `--kubeconfig=${join(node.directory, "kubeconfig")}`;
  const kubectl = (...args: readonly string[]) =>
    execa("kubectl", [kubeconfig(), ...args], { timeout: 120_000 });
  const apply = async (objects: string): Promise<void> => {
    const file = join(node.directory, "objects.json");
    await writeFile(file, objects);
    await kubectl("apply", "-f", file);
  };
  const peerpodCtrl = (...args: readonly string[]) =>
    execa(
      process.execPath,
      ["--conditions=@peerpods/source", "packages/peerpod-ctrl/src/main.ts", ...args, kubeconfig()],
      { cwd: repository, all: true, reject: false },
    );
  const values = (...more: readonly string[]) => [
    "--values=packages/peerpod-ctrl/deploy/charts/peerpods/providers/local.yaml",
    `--set=${[...settings, ...more].join(",")}`,
  ];
  const podUid = async (label: string) =>
    (await kubectl("-n", NAMESPACE, "get", "pod", "-l", label, "-o", "jsonpath={.items[0].metadata.uid}"))
      .stdout;

  it("is installed by one command, all programs ready, and works with the relay of its own DaemonSet", async () => {
    const installed = await peerpodCtrl("install", "--apply", "--timeout=4m", ...values());
    process.stdout.write(`${installed.all}\n`);
    expect(installed.exitCode).toBe(0);
    const pods = await kubectl("-n", NAMESPACE, "get", "pods", "-o", "wide");
    process.stdout.write(`${pods.stdout}\n`);
    expect(pods.stdout.match(/ 1\/1 +Running /g)).toHaveLength(4);
    const { stdout: capacity } = await kubectl("get", "node", node.name, "-o", "jsonpath={.status.capacity}");
    process.stdout.write(`${capacity}\n`);
  }, 300_000);

  it.skipIf(noShim !== undefined)(
    `runs a Pod in a VM of its own${noShim === undefined ? "" : ` (${noShim})`}`,
    async () => {
      await apply(configMap("installed\n"));
      await apply(pod("web", { restartPolicy: "Always", script: SERVE }));
      await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=110s");
      const { stdout } = await kubectl("get", "pod,peerpods", "-o", "wide");
      process.stdout.write(`${stdout}\n`);
      await until("its log", async () => (await kubectl("logs", "web")).stdout.includes("installed"));
      // In a container, provider local's VMs end with it, so this Pod could not see the next test through.
      await kubectl("delete", "pod", "web", "--timeout=110s");
      await until(
        "its PeerPod is gone",
        async () => (await kubectl("get", "peerpods", "-o", "name")).stdout === "",
      );
    },
    150_000,
  );

  it("keeps the relay when the daemon is updated", async () => {
    const relay = await podUid("app=agent-relay");
    const daemon = await podUid("app=cloud-api-adaptor");
    const updated = await peerpodCtrl(
      ...["install", "--apply", "--timeout=4m", ...values("providerConfigs.local.LOCAL_VCPUS=1")],
    );
    expect(updated.exitCode).toBe(0);
    expect(await podUid("app=cloud-api-adaptor")).not.toBe(daemon);
    expect(await podUid("app=agent-relay")).toBe(relay);
  }, 300_000);

  it("is uninstalled", async () => {
    const gone = await peerpodCtrl("uninstall", ...values());
    expect(gone.exitCode).toBe(0);
    await until(
      "pods are gone",
      async () => (await kubectl("-n", NAMESPACE, "get", "pods", "--no-headers")).stdout === "",
      { timeoutMs: 120_000 },
    );
  }, 300_000);
});
