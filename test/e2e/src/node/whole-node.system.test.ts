import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareNode, startNode, type Node } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingForImages } from "../images/container.ts";

const repository = join(import.meta.dirname, "../../../..");
const NAMESPACE = "confidential-containers-system";
/** Directories of the node that the manifests name. */
const ofTheNode = ["/run/peerpod", "/var/lib/peerpods"];
const missing = await whyNot();

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
];

describe.skipIf(missing !== undefined)(`a whole node${missing === undefined ? "" : ` (${missing})`}`, () => {
  let node: Node;

  beforeAll(async () => {
    await prepareNode();
    node = await startNode();
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
    await node?.[Symbol.asyncDispose]();
    for (const path of ofTheNode) await rm(path, { recursive: true, force: true });
  }, 120_000);

  const kubeconfig = () => `--kubeconfig=${join(node.directory, "kubeconfig")}`;
  const kubectl = (...args: readonly string[]) => execa("kubectl", [kubeconfig(), ...args]);
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
