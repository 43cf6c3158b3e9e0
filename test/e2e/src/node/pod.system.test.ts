import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareNode, startNode, type Node } from "@peerpods/test-cluster";
import { until, type RunningProcess } from "@peerpods/test-harness";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingForImages } from "../images/container.ts";
import { buildBusyboxImage } from "../stage/image.ts";
import { testedAgents } from "../stage/real-node.ts";
import { createWorkerNode, type WorkerNode } from "../stage/worker-node.ts";
import { prepareNodeShim } from "./node-shim.ts";
import { deployment, IMAGE, installed, pod, SERVE, settings } from "./objects.ts";

/** Pods of the Deployment. Each takes a quarter of a CPU besides its own, by the RuntimeClass. */
const MANY = 6;

const missing = await whyNot();

async function whyNot(): Promise<string | undefined> {
  if (process.env["PEERPODS_NODE"] !== "1")
    return "takes minutes: set PEERPODS_NODE=1 to run Pods on kubelet, containerd and the real kata shim";
  const { exitCode } = await execa("kubectl", ["version", "--client"], { reject: false });
  return exitCode === 0 ? await missingForImages() : "needs kubectl in PATH";
}

const agents = (await testedAgents()).map((agent) => ({ ...agent, missing: missing ?? agent.missing }));

describe.each(agents)("a Pod of a whole node in the real shim with $name", ({ flags, missing: lacks }) => {
  describe.skipIf(lacks !== undefined)(lacks ?? "from kubectl apply to kubectl delete", () => {
    const stage = new AsyncDisposableStack();
    let node: Node;
    let worker: WorkerNode;
    let daemon: RunningProcess;

    const kubectl = async (...args: readonly string[]): Promise<string> => {
      const kubeconfig = `--kubeconfig=${join(node.directory, "kubeconfig")}`;
      return (await execa("kubectl", [kubeconfig, ...args], { timeout: 120_000 })).stdout;
    };
    const apply = async (objects: string): Promise<void> => {
      const file = join(node.directory, "objects.yaml");
      await writeFile(file, objects);
      await kubectl("apply", "-f", file);
    };
    const phaseIs = (pod: string, phase: string) =>
      until(
        `Pod ${pod} is ${phase}`,
        async () => (await kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}")) === phase,
        { timeoutMs: 120_000, everyMs: 250 },
      );
    const show = (text: string) => void process.stdout.write(`${text}\n`);

    beforeAll(async () => {
      await prepareNode();
      const directory = await mkdtemp("/tmp/ppnp-");
      stage.defer(() => rm(directory, { recursive: true, force: true }));
      const shim = stage.use(await prepareNodeShim());
      node = stage.use(await startNode(shim.options));
      const kubeconfig = join(node.directory, "kubeconfig");
      await writeFile(kubeconfig, node.cluster.kubeconfig(), { mode: 0o600 });
      const imageDirectory = join(directory, "images");
      await node.importImage(await buildBusyboxImage(imageDirectory, "localhost/busybox"), "latest", IMAGE);
      await apply(await installed(["CustomResourceDefinition", "RuntimeClass"]));
      worker = stage.use(
        await createWorkerNode({
          directory: join(directory, "n"),
          imageDirectory,
          bridge: `ppnp${process.pid}`,
          subnet: "10.213.83.0/24",
          flags: ["-kubeconfig", kubeconfig, "-node-name", node.name, ...flags],
        }),
      );
      await shim.connect(node, worker.hypervisorSocket);
      await until(
        "node is ready",
        async () => / Ready /.test(await kubectl("get", "node", node.name, "--no-headers")),
        { timeoutMs: 120_000 },
      );
      daemon = await worker.startDaemon();
      // Their VMs can only go while everything else is there.
      stage.defer(async () => void (await kubectl("delete", "deployment,pod", "--all", "--timeout=60s")));
    }, 1_800_000);
    afterAll(async () => {
      await stage.disposeAsync();
    }, 180_000);

    it("runs in a VM of its own, with its ConfigMap, its log and its Events", async () => {
      await apply(settings("no VM outlives its pod\n"));
      const readinessProbe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 };
      await apply(pod("web", { restartPolicy: "Always", script: SERVE, readinessProbe }));
      await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=110s");
      await until("its log", async () => (await kubectl("logs", "web")).includes("outlives"));
      expect(await kubectl("logs", "web")).toBe("hello from web, hi\nno VM outlives its pod");
      expect(await kubectl("exec", "web", "--", "sh", "-c", "echo from inside")).toBe("from inside");
      show(await kubectl("get", "pod,peerpods", "-o", "wide"));
      show((await worker.peerpods(["ps"])).stdout);
      const events = await kubectl(
        ...["get", "events", "--field-selector", "involvedObject.name=web"],
        ...["-o", "jsonpath={range .items[*]}{.source.component} {.reason}: {.message}{'\\n'}{end}"],
      );
      show(events);
      expect(events).toMatch(/^cloud-api-adaptor .*instance/m);
      const phase = await kubectl("get", "peerpods", "-o", "jsonpath={.items[*].status.phase}");
      expect(phase).toBe("Running");
    }, 300_000);

    it("serves under its address of the node's network", async () => {
      const address = await kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}");
      const ask = [`--net=${node.netns}`, "busybox", "wget", "-qO-", `http://${address}:8080/`];
      const { stdout } = await execa("nsenter", ask, { timeout: 30_000 });
      expect(stdout).toBe("served by a pod VM");
    });

    it("has the token of its service account, and sees its ConfigMap change", async () => {
      const inside = (file: string) => kubectl("exec", "web", "--", "cat", file);
      expect(await inside("/var/run/secrets/kubernetes.io/serviceaccount/namespace")).toBe("default");
      await apply(settings("said anew\n"));
      // The kubelet looks at volumes when it looks at the Pod, which it does at once when that has changed.
      await kubectl("annotate", "pod", "web", "prompt=now");
      await until("the change arrives", async () => (await inside("/etc/settings/motto")) === "said anew", {
        timeoutMs: 150_000,
        everyMs: 1_000,
      });
    }, 180_000);

    it("goes on while its daemon is killed and comes back", async () => {
      daemon.kill("SIGKILL");
      await daemon.ended;
      expect(await kubectl("exec", "web", "--", "echo", "without a daemon")).toBe("without a daemon");
      daemon = await worker.startDaemon();
      expect(await kubectl("exec", "web", "--", "echo", "with the next")).toBe("with the next");
      const restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
      expect(await kubectl("get", "pod", "web", "-o", restarts)).toBe("0");
    }, 120_000);

    it("tells the kubelet how its containers end", async () => {
      await apply(pod("job", { restartPolicy: "Never", script: "echo over; exit 7" }));
      await phaseIs("job", "Failed");
      const exitCode = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}";
      expect(await kubectl("get", "pod", "job", "-o", exitCode)).toBe("7");
      expect(await kubectl("logs", "job")).toBe("over");
    }, 180_000);

    it("comes in numbers: those of a Deployment, each in a VM of its own, are there and gone together", async () => {
      await apply(deployment("many", { replicas: MANY, restartPolicy: "Always", script: SERVE }));
      await kubectl("rollout", "status", "deployment/many", "--timeout=110s");
      const sandboxes = JSON.parse((await worker.peerpods(["--json", "ps"])).stdout) as Sandbox[];
      const many = sandboxes.filter(({ podName }) => podName.startsWith("many-"));
      expect(new Set(many.map(({ instanceId }) => instanceId)).size).toBe(MANY);
      await kubectl("delete", "deployment", "many");
      await kubectl("wait", "--for=delete", "pod", "-l", "app=many", "--timeout=110s");
    }, 240_000);

    it("takes its VM and its PeerPod along when it is deleted", async () => {
      await kubectl("delete", "pod", "web", "job", "--timeout=110s");
      await until(
        "no sandbox is left",
        async () => (await worker.peerpods(["--json", "ps"])).stdout.trim() === "[]",
        {
          timeoutMs: 60_000,
        },
      );
      await until("no PeerPod is left", async () => (await kubectl("get", "peerpods", "-o", "name")) === "", {
        timeoutMs: 60_000,
      });
    }, 180_000);
  });
});

/** What `peerpods ps` says of each. */
interface Sandbox {
  readonly podName: string;
  readonly instanceId: string;
}
