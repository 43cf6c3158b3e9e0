import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProviderRegistry } from "@peerpods/cloud-providers";
import { createFakeCloud, fakeProvider } from "@peerpods/cloud-providers/testing";
import type { CloudProvider, CreateInstanceRequest } from "@peerpods/cloud-providers";
import type { FakeCloud } from "@peerpods/cloud-providers/testing";
import { daemonRules, events, isKubernetesError, peerPodName, resource } from "@peerpods/peerpod-ctrl";
import type { PeerPod, PolicyRule } from "@peerpods/peerpod-ctrl";
import type { ClusterOptions } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { startPeerPodCluster } from "../../../../peerpod-ctrl/src/testing/cluster.ts";
import type { PeerPodCluster } from "../../../../peerpod-ctrl/src/testing/cluster.ts";
import {
  callHypervisor,
  createVMRequest,
  flagsIn,
  RunningProgram,
} from "../../daemon/testing/running-program.ts";
import { World } from "../../sandbox/testing/world.ts";

/** A pod as the shim and the kubelet name it. */
export interface TestPod {
  readonly name: string;
  readonly namespace?: string;
  readonly sandboxId: string;
}

const rbac = "rbac.authorization.k8s.io";

/** Gives a user exactly these rights in all namespaces, whatever it had before, and waits until they count. */
export async function permit(api: PeerPodCluster, user: string, rules: readonly PolicyRule[]): Promise<void> {
  const roles = rbacResource(api, "clusterroles");
  // The API server takes roles over a moment after it has stored them; a rule of its own tells when.
  const mark = `mark-${randomUUID()}`;
  const marked = [...rules, { apiGroups: ["test"], resources: [mark], verbs: ["get"] }];
  try {
    await roles.patch({ name: user }, { rules: marked });
  } catch (error) {
    if (!isKubernetesError(error, "not_found")) throw error;
    await roles.create({ metadata: { name: user }, rules: marked }, {});
    await rbacResource(api, "clusterrolebindings").create(
      {
        metadata: { name: user },
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: user },
        subjects: [{ kind: "User", name: user, apiGroup: rbac }],
      },
      {},
    );
  }
  const reviews = resource(api.kubeFor(user), {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "selfsubjectaccessreviews",
    parse: (input) => input as { status: { allowed: boolean } },
  });
  const resourceAttributes = { group: "test", resource: mark, verb: "get" };
  await until(
    `rights of ${user}`,
    async () => (await reviews.create({ spec: { resourceAttributes } }, {})).status.allowed,
  );
}

function rbacResource(api: PeerPodCluster, plural: string) {
  return resource(api.kube, { group: rbac, version: "v1", plural, parse: (input) => input });
}

/**
 * A real API server and a node in small: the daemon's program in this process, on a fake cloud and network. In the cluster it
 * is a user that has exactly `daemonRules`.
 */
export class KubeWorld implements AsyncDisposable {
  readonly api: PeerPodCluster;
  readonly cloud: FakeCloud = createFakeCloud();
  readonly dir: string;
  readonly #parts: AsyncDisposableStack;
  readonly #programs = new Set<RunningProgram>();
  #node = 1;
  world = new World();
  /** Called before the cloud is asked for an instance. */
  beforeCreate: (request: CreateInstanceRequest) => Promise<void> = async () => undefined;

  static async start(options: ClusterOptions & { readonly crd?: boolean } = {}): Promise<KubeWorld> {
    await using parts = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), "ppk-"));
    parts.defer(() => rm(dir, { recursive: true, force: true }));
    const users = { daemon: [], ...options.users };
    const api = parts.use(await startPeerPodCluster({ ...options, users }));
    await permit(api, "daemon", daemonRules);
    for (const user of ["admin", ...Object.keys(users)])
      await writeFile(join(dir, `${user}.kubeconfig`), api.cluster.kubeconfig(user));
    return new KubeWorld(api, dir, parts.move());
  }

  private constructor(api: PeerPodCluster, dir: string, parts: AsyncDisposableStack) {
    this.api = api;
    this.dir = dir;
    this.#parts = parts;
  }

  /** Starts a daemon and waits until it is ready. */
  async daemon(...flags: readonly string[]): Promise<RunningProgram> {
    const program = new RunningProgram(
      this.world,
      [
        ...flagsIn(this.nodeDir),
        `-kubeconfig=${join(this.dir, "daemon.kubeconfig")}`,
        "-disable-tls",
        "-node-name=node-1",
        ...flags,
      ],
      {
        env: { FAKE_ACCESS_KEY: "fake-access-key" },
        registry: createProviderRegistry([this.#provider()]),
      },
    );
    this.#programs.add(program);
    await program.says('"ready"');
    return program;
  }

  async create({ sandboxId, ...pod }: TestPod): Promise<void> {
    await callHypervisor(this.nodeDir, (client) => client.createVM(createVMRequest(sandboxId, pod)));
  }

  async start({ sandboxId }: TestPod): Promise<void> {
    await callHypervisor(this.nodeDir, (client) => client.startVM({ id: sandboxId }, { timeoutMs: 60_000 }));
  }

  async stop({ sandboxId }: TestPod): Promise<void> {
    await callHypervisor(this.nodeDir, (client) => client.stopVM({ id: sandboxId }));
  }

  async peerPod({ name, namespace = "default", sandboxId }: TestPod): Promise<PeerPod | undefined> {
    const { items } = await this.api.peerPods.list({ namespace });
    return items.find(({ metadata }) => metadata.name === peerPodName(name, sandboxId));
  }

  /** The pod's PeerPod once it is as `condition` says. */
  async peerPodUntil(pod: TestPod, what: string, condition: (peerPod: PeerPod) => boolean): Promise<PeerPod> {
    return await until(
      `PeerPod of ${pod.name} ${what}`,
      async () => {
        const peerPod = await this.peerPod(pod);
        return peerPod !== undefined && condition(peerPod) ? peerPod : undefined;
      },
      { timeoutMs: 90_000 },
    );
  }

  /** What `kubectl describe pod` would show of Events, in any order, once `enough` of them are there. */
  async eventsOf(name: string, enough: (texts: readonly string[]) => boolean): Promise<readonly string[]> {
    return await until(`Events of ${name}`, async () => {
      const { items } = await resource(this.api.kube, events).list({
        fieldSelector: `involvedObject.name=${name}`,
      });
      const ofPod = items.filter(({ involvedObject }) => involvedObject.kind === "Pod" && involvedObject.uid);
      const texts = ofPod.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
      return enough(texts) ? texts : undefined;
    });
  }

  async peerPodGone(pod: TestPod): Promise<void> {
    await until(`PeerPod of ${pod.name} gone`, async () => (await this.peerPod(pod)) === undefined, {
      timeoutMs: 90_000,
    });
  }

  /** Ids of the instances that there are. */
  instanceIds(): readonly string[] {
    return this.cloud.account
      .instances({})
      .filter(({ state }) => state !== "terminated")
      .map(({ id }) => id);
  }

  /** Ends all daemons and gives the next ones a node without a past. */
  async reset(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => this.end(program)));
    await this.world[Symbol.asyncDispose]();
    this.world = new World();
    this.cloud.faults.clear();
    this.beforeCreate = async () => undefined;
    this.#node += 1;
  }

  /** Everything of the node: state directory, sockets. */
  get nodeDir(): string {
    return join(this.dir, `node-${this.#node}`);
  }

  /** Ends a daemon as a test that wants another one would; all that are left end with this. */
  async end(program: RunningProgram): Promise<void> {
    this.#programs.delete(program);
    await program.stop();
  }

  #provider(): CloudProvider {
    const manager = fakeProvider(this.cloud);
    return {
      ...manager,
      newProvider: async (context) => {
        const provider = await manager.newProvider(context);
        const create = provider.createInstance.bind(provider);
        provider.createInstance = async (request, call) => {
          await this.beforeCreate(request);
          return await create(request, call);
        };
        return provider;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.stop()));
    await this.world[Symbol.asyncDispose]();
    await this.#parts.disposeAsync();
  }
}
