import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentLogger } from "@peerpods/cloud-providers";
import { createFakeCloud, fakeOptionValues, fakeProvider } from "@peerpods/cloud-providers/testing";
import type { FakeCloud } from "@peerpods/cloud-providers/testing";
import { clusterRules, daemonRules, namespacedRules } from "@peerpods/peerpod-ctrl";
import type { PeerPod } from "@peerpods/peerpod-ctrl";
import { startProcess, until } from "@peerpods/test-harness";
import type { RunningProcess } from "@peerpods/test-harness";
import { serveCloud } from "../../../../peerpod-ctrl/src/testing/cloud-server.ts";
import type { CloudMoments } from "../../../../peerpod-ctrl/src/testing/cloud-server.ts";
import { startPeerPodCluster } from "../../../../peerpod-ctrl/src/testing/cluster.ts";
import type { PeerPodCluster } from "../../../../peerpod-ctrl/src/testing/cluster.ts";
import { callHypervisor, createVMRequest, flagsIn } from "../../daemon/testing/running-program.ts";
import { permit } from "./kube-world.ts";

const NAMESPACE = "default";
/** The garbage collector finds a new CRD within half a minute. */
const TIMEOUT = { timeoutMs: 120_000 };
const sources = "--conditions=@peerpods/source";
const programs = {
  daemon: fileURLToPath(new URL("daemon-process.ts", import.meta.url)),
  controller: fileURLToPath(new URL("../../../../peerpod-ctrl/src/testing/replica.ts", import.meta.url)),
};

/**
 * A real API server with its garbage collector, the controller as a process, and daemons as processes that can be killed, all
 * on one cloud in this process. A pod's sandbox has the name of its pod.
 */
export class WholeCluster implements AsyncDisposable {
  readonly api: PeerPodCluster;
  readonly cloud: FakeCloud;
  /** What happens around each creation of an instance. */
  readonly moments: CloudMoments;
  readonly #dir: string;
  readonly #parts: AsyncDisposableStack;
  readonly #cloudUrl: string;
  #daemons = 0;

  static async start(): Promise<WholeCluster> {
    await using parts = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), "ppx-"));
    parts.defer(() => rm(dir, { recursive: true, force: true }));
    const users = { daemon: [], controller: [] };
    const api = parts.use(await startPeerPodCluster({ controllerManager: true, users }));
    await permit(api, "daemon", daemonRules);
    // All its rules in all namespaces: its own test keeps them apart.
    await permit(api, "controller", [...clusterRules, ...namespacedRules()]);
    for (const user of Object.keys(users))
      await writeFile(join(dir, `${user}.kubeconfig`), api.cluster.kubeconfig(user));

    const cloud = createFakeCloud();
    const config = fakeOptionValues();
    const provider = await fakeProvider(cloud).newProvider({
      config,
      logger: silentLogger,
      stateDir: dir,
      env: {},
    });
    const moments: CloudMoments = { before: async () => undefined, after: async () => undefined };
    const { url } = parts.use(await serveCloud(provider, moments));
    parts.use(
      await startProcess(
        process.execPath,
        [
          sources,
          programs.controller,
          `--kubeconfig=${join(dir, "controller.kubeconfig")}`,
          `--namespace=${NAMESPACE}`,
          `--state-dir=${join(dir, "controller")}`,
          "--health-probe-bind-address=127.0.0.1:0",
          "--metrics-bind-address=",
        ],
        {
          logFile: join(dir, "controller.log"),
          env: { CLOUD_URL: url, NODE_OPTIONS: "" },
        },
      ),
    );
    await until("service accounts", () => api.pod("probe", NAMESPACE).then(() => true), TIMEOUT);
    await said(join(dir, "controller.log"), "controller works");
    return new WholeCluster({ api, cloud, moments, dir, url }, parts.move());
  }

  private constructor(
    found: Pick<WholeCluster, "api" | "cloud" | "moments"> & { readonly dir: string; readonly url: string },
    parts: AsyncDisposableStack,
  ) {
    this.api = found.api;
    this.cloud = found.cloud;
    this.moments = found.moments;
    this.#dir = found.dir;
    this.#cloudUrl = found.url;
    this.#parts = parts;
  }

  /** Starts a daemon and waits until it is ready. */
  async daemon(): Promise<RunningProcess> {
    this.#daemons += 1;
    const logFile = join(this.#dir, `daemon-${this.#daemons}.log`);
    const daemon = await startProcess(
      process.execPath,
      [
        sources,
        programs.daemon,
        ...flagsIn(this.#dir),
        "-disable-tls",
        "-node-name=node-1",
        `-kubeconfig=${join(this.#dir, "daemon.kubeconfig")}`,
      ],
      { logFile, env: { CLOUD_URL: this.#cloudUrl, NODE_OPTIONS: "" } },
    );
    await said(logFile, '"ready"');
    return daemon;
  }

  async start(name: string): Promise<void> {
    await callHypervisor(this.#dir, (client) => client.createVM(createVMRequest(name, { name })));
    await callHypervisor(this.#dir, (client) => client.startVM({ id: name }, { timeoutMs: 60_000 }));
  }

  async stop(name: string): Promise<void> {
    await callHypervisor(this.#dir, (client) => client.stopVM({ id: name }));
  }

  async peerPodOf(name: string): Promise<PeerPod | undefined> {
    const { items } = await this.api.peerPods.list({ namespace: NAMESPACE });
    return items.find(({ spec }) => spec.sandboxID === name);
  }

  /** Resolves when there is neither PeerPod nor VM. */
  async nothingLeft(): Promise<void> {
    const none = async () =>
      (await this.api.peerPods.list()).items.length === 0 && this.cloud.count().instances === 0;
    await until("no PeerPod and no VM is left", none, TIMEOUT);
  }

  /** Resolves when the daemon's journal is empty. */
  async journalEmpty(): Promise<void> {
    const directory = join(this.#dir, "d1/state/journal/sandboxes");
    await until("the journal is empty", async () => (await readdir(directory)).length === 0, TIMEOUT);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** Waits until a program has said this; its whole log is in the failure. */
async function said(logFile: string, text: string): Promise<void> {
  let log = "";
  await until(
    text,
    async () => {
      log = await readFile(logFile, "utf8");
      return log.includes(text);
    },
    TIMEOUT,
  ).catch((cause: unknown) => {
    throw new Error(`it did not say ${text}:\n${log}`, { cause });
  });
}
