import { guardProvider, silentLogger } from "@peerpods/cloud-providers";
import type { Provider } from "@peerpods/cloud-providers";
import { FakeClock } from "@peerpods/cloud-providers/testing";
import type { CreateRequest } from "../create.ts";
import { Lifecycle } from "../lifecycle.ts";

import type { FailedStarts, GuestPreparation, PodDirectories, WaitOptions } from "../ports.ts";
import { defaultReaping, defaultRetry } from "../settings.ts";
import type { LifecycleSettings } from "../settings.ts";
import { FakeCloud } from "./fake-cloud.ts";
import { FakeClusterRecords } from "./fake-cluster-records.ts";
import { FakeNetwork } from "./fake-network.ts";
import { FakeRelay } from "./fake-relay.ts";
import { settle } from "./settle.ts";
import { MemoryJournal } from "./memory-journal.ts";

export const netnsPath = "/run/netns/cni-test";
export const sandboxId = "0f1e2d3c".repeat(8);

/** A way to stand between the lifecycle and the world; see `crash.ts`. */
export type Interposer = <T extends object>(part: T) => T;

/** All that outlives a daemon: disk, cloud, relay, kernel, time. Daemons come and go in it. */
export class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly cloud = new FakeCloud();
  /** What daemons are given as their provider. */
  provider: Provider = this.cloud;
  readonly relay = new FakeRelay(() => this.clock.now());
  readonly network = new FakeNetwork();
  readonly journal = new MemoryJournal();
  readonly directories = new Set<string>();
  /** Absent: failed starts are not kept. */
  failedStarts: Pick<FailedStarts, "keep"> | undefined;
  readonly cluster = new FakeClusterRecords();
  readonly #daemons: Lifecycle[] = [];

  constructor() {
    this.network.namespaces.add(netnsPath);
  }

  /** A daemon as it starts, recovered from what is on disk. */
  async daemon({
    interpose = (part) => part,
    settings = {},
    minVni = 555_000,
  }: {
    interpose?: Interposer;
    settings?: Partial<LifecycleSettings>;
    minVni?: number;
  } = {}): Promise<Lifecycle> {
    const lifecycle = this.freshDaemon({ interpose, settings, minVni });
    await lifecycle.recover({ signal: AbortSignal.timeout(5_000) });
    return lifecycle;
  }

  /** The same before it has looked at the disk. */
  freshDaemon({
    interpose = (part) => part,
    settings = {},
    minVni = 555_000,
  }: { interpose?: Interposer; settings?: Partial<LifecycleSettings>; minVni?: number } = {}): Lifecycle {
    const lifecycle = new Lifecycle({
      provider: guardProvider(interpose(this.provider), {
        name: "fake",
        logger: silentLogger,
        clock: this.clock,
      }),
      relay: interpose(this.relay),
      network: interpose(this.network),
      journal: interpose(this.journal),
      directories: interpose(this.#podDirectories()),
      guest: guestPreparation,
      cluster: interpose(this.cluster),
      ...(this.failedStarts === undefined ? {} : { failedStarts: this.failedStarts }),
      clock: this.clock,
      logger: silentLogger,
      minVni,
      settings: {
        clusterId: () => "test-cluster",
        nodeName: "worker-1",
        maxSandboxes: 10,
        forwarderPort: 15_150,
        connectTimeoutMs: 300_000,
        instanceLookMs: 15_000,
        deleteTimeoutMs: 600_000,
        localTimeoutMs: 10_000,
        reaping: defaultReaping,
        retry: defaultRetry,
        ...settings,
      },
    });
    this.#daemons.push(lifecycle);
    return lifecycle;
  }

  /** Everything that exists of any sandbox, empty when nothing does. */
  leftovers(): Record<string, readonly unknown[]> {
    const found = {
      instances: this.cloud.requests.map(({ token }) => token),
      relay: this.relay.carried,
      tunnels: this.network.tunnels.map(({ vxlanId }) => vxlanId),
      directories: [...this.directories],
      cluster: [...this.cluster.records.keys()],
      journal: [...this.journal.entries.keys()],
    };
    return Object.fromEntries(Object.entries(found).filter(([, items]) => items.length > 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([Promise.all(this.#daemons.map((daemon) => daemon[Symbol.asyncDispose]())), settle()]);
  }

  #podDirectories(): PodDirectories {
    return {
      agentSocketPath: (id) => `/run/peerpod/pods/${id}/agent.ttrpc`,
      create: async (id) => void this.directories.add(id),
      remove: async (id) => void this.directories.delete(id),
    };
  }
}

export function createRequest(changes: Partial<CreateRequest> = {}): CreateRequest {
  return {
    sandboxId,
    podName: "web",
    podNamespace: "default",
    netnsPath,
    spec: {
      instanceType: "",
      vcpus: 1,
      memoryMiB: 128,
      gpus: 0,
      arch: "",
      image: "",
      multiNic: false,
      volumes: [],
    },
    ...changes,
  };
}

const guestPreparation: GuestPreparation = {
  prepare: async ({ instanceName }) => ({
    userData: `#cloud-config for ${instanceName}`,
    tls: { ca: "ca", cert: "cert", key: "key", serverName: instanceName },
  }),
};

/** A caller that waits as long as it takes. */
export const patient: WaitOptions = { signal: new AbortController().signal };
