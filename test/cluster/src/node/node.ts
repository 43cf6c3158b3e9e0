import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess, until } from "@peerpods/test-harness";
import { execa } from "execa";
import { kubernetesBinary, prepareBinaries } from "../binaries.ts";
import { startCluster, type Cluster } from "../cluster.ts";
import { cniPlugins, containerdBinaries, runcWithSeccomp } from "./binaries.ts";
import { cniConfiguration, containerdToml, kubeletYaml } from "./configuration.ts";
import { createNodeNetwork, serveApi } from "./node-network.ts";

export interface NodeOptions {
  /** Further runtimes, as tables of containerd's configuration. */
  readonly runtimes?: string;
  /** Directory in which containerd finds the shims of these runtimes. */
  readonly shims?: string;
}

/** A cluster of one whole node. Disposal ends everything on it. */
export interface Node extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly name: string;
  readonly directory: string;
  /** Network namespace of the node, for `nsenter --net=`. */
  readonly netns: string;
  /** Makes an image of an OCI layout known to the node, under the name that pods use. */
  importImage(layout: string, tag: string, name: string): Promise<void>;
  ctr(...args: readonly string[]): Promise<string>;
}

const NAME = "node-1";

/** Builds what {@link startNode} needs if it is not there yet: minutes on the first call on a machine. */
export async function prepareNode(): Promise<void> {
  await prepareBinaries(["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"]);
  await containerdBinaries();
  await cniPlugins();
  await runcWithSeccomp();
}

export async function startNode({ runtimes = "", shims }: NodeOptions = {}): Promise<Node> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "ppnode-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const network = parts.use(await createNodeNetwork(`ppn${process.pid}`));
  const cluster = parts.use(
    await startCluster({
      controllerManager: true,
      scheduler: true,
      address: network.hostAddress,
      users: { [`system:node:${NAME}`]: ["system:nodes"] },
    }),
  );
  await serveApi(network, Number(new URL(cluster.url).port));

  const containerd = await containerdBinaries();
  const runc = join(await runcWithSeccomp(), "runc");
  const inNode = (program: string, args: readonly string[], log: string) =>
    startProcess("nsenter", [`--net=${network.path}`, program, ...args], {
      logFile: join(directory, log),
      env: { PATH: [shims ?? [], containerd, process.env["PATH"] ?? ""].flat().join(":") },
    });
  await mkdir(join(directory, "cni"));
  await writeFile(join(directory, "cni/10-pods.conflist"), cniConfiguration("ppcni0"));
  await writeFile(
    join(directory, "containerd.toml"),
    containerdToml({ directory, cni: await cniPlugins(), runc }, runtimes),
  );
  parts.defer(removeCgroups);
  parts.defer(() => removeLeftMounts(directory));
  parts.use(
    await inNode(
      join(containerd, "containerd"),
      ["-c", join(directory, "containerd.toml")],
      "containerd.log",
    ),
  );
  const ctr = async (...args: readonly string[]) => {
    const all = ["--address", join(directory, "containerd.sock"), "-n", "k8s.io", ...args];
    return (await execa(join(containerd, "ctr"), all)).stdout;
  };
  await until("containerd answers", () => ctr("version"), { timeoutMs: 60_000 });
  parts.defer(() => removeContainers(ctr));
  const importImage = async (layout: string, tag: string, name: string) => {
    const archive = join(directory, "image.tar");
    await execa("skopeo", ["copy", "-q", `oci:${layout}:${tag}`, `docker-archive:${archive}:${name}`]);
    await ctr("images", "import", "--local", archive);
    await rm(archive);
  };
  const pause = await pauseImage(directory);
  await importImage(pause, "1", "localhost/pause:1");

  await writeFile(join(directory, "kubelet.yaml"), kubeletYaml(directory));
  await writeFile(join(directory, "kubelet.kubeconfig"), cluster.kubeconfig(`system:node:${NAME}`), {
    mode: 0o600,
  });
  parts.use(
    await inNode(
      await kubernetesBinary("kubelet"),
      [
        `--config=${directory}/kubelet.yaml`,
        `--kubeconfig=${directory}/kubelet.kubeconfig`,
        `--hostname-override=${NAME}`,
        `--node-ip=${network.nodeAddress}`,
        `--root-dir=${directory}/kubelet`,
        `--cert-dir=${directory}/kubelet-certs`,
        "--node-labels=node.kubernetes.io/worker=",
      ],
      "kubelet.log",
    ),
  );
  const owned = parts.move();
  return {
    cluster,
    name: NAME,
    directory,
    netns: network.path,
    importImage,
    ctr,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What runs in place of a pause container: busybox sleeping. */
async function pauseImage(directory: string): Promise<string> {
  const layout = join(directory, "pause");
  const bundle = join(directory, "pause-bundle");
  await execa("umoci", ["init", "--layout", layout]);
  await execa("umoci", ["new", "--image", `${layout}:1`]);
  await execa("umoci", ["unpack", "--image", `${layout}:1`, bundle]);
  await execa("cp", [await busybox(), join(bundle, "rootfs/busybox")]);
  await execa("umoci", ["repack", "--image", `${layout}:1`, bundle]);
  await execa("umoci", [
    "config",
    "--image",
    `${layout}:1`,
    "--config.entrypoint",
    "/busybox",
    "--config.cmd",
    "sleep",
    "--config.cmd",
    "2147483647",
  ]);
  await rm(bundle, { recursive: true });
  return layout;
}

async function busybox(): Promise<string> {
  return (await execa("sh", ["-c", "command -v busybox"])).stdout;
}

/** Containers outlive containerd, so they are ended while it runs. */
async function removeContainers(ctr: (...args: readonly string[]) => Promise<string>): Promise<void> {
  const list = async (what: string) => (await ctr(what, "ls", "-q")).split("\n").filter(Boolean);
  for (const id of await list("tasks")) await ctr("tasks", "delete", "--force", id).catch(() => undefined);
  for (const id of await list("containers")) await ctr("containers", "delete", id).catch(() => undefined);
}

async function removeLeftMounts(directory: string): Promise<void> {
  const { stdout } = await execa("findmnt", ["-rn", "-o", "TARGET"]);
  const left = stdout
    .split("\n")
    .filter((target) => target.startsWith(directory))
    .toReversed();
  for (const target of left) await execa("umount", ["-l", target], { reject: false });
}

/** The kubelet leaves its cgroups. Only empty ones go, so those of another kubelet stay. */
async function removeCgroups(): Promise<void> {
  const find = [
    "/sys/fs/cgroup",
    "-depth",
    "-type",
    "d",
    "-path",
    "*/kubepods*",
    "-exec",
    "rmdir",
    "{}",
    ";",
  ];
  await execa("find", find, { reject: false });
}
