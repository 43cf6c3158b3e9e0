/**
 * Everything the lifecycle needs from outside, as interfaces. Their implementations are built in `daemon/` (or are fakes
 * in tests); nothing in this folder opens a socket, starts a process or reads a clock by itself. The cloud is
 * `Provider` of `@peerpods/cloud-providers`, the agent relay is in `relay-port.ts`.
 */

import type { ConsoleLog } from "@peerpods/cloud-providers";
import type { WorkerTunnel } from "@peerpods/pod-network";
import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import type { SandboxRecord } from "./record.ts";
import type { RelayTls, WaitOptions } from "./relay-port.ts";

export type { Clock } from "@peerpods/cloud-providers";
export type {
  RelayControl,
  RelayEvent,
  RelayHello,
  RelayOpenRequest,
  RelaySandbox,
  RelayTarget,
  RelayTls,
  RelayTraffic,
  WaitOptions,
} from "./relay-port.ts";

/** What the worker's side of the pod network is, before an index and a VNI are given to it. */
export type PodNetworkFacts = Omit<PodNetworkConfig, "index" | "vxlanId" | "vxlanPort"> & {
  readonly vxlanPort: number;
};

/** The worker's end of the pod network. */
export interface PodNetwork {
  /** Looks at the pod's namespace and at the host; changes nothing. */
  inspect(netnsPath: string, options: WaitOptions): Promise<PodNetworkFacts>;
  /** VNIs that the kernel or a left-over rule holds now, ours or not. */
  vnisInUse(options: WaitOptions): Promise<ReadonlySet<number>>;
  /** Makes the tunnel. A failed or aborted call leaves nothing. */
  setUp(tunnel: WorkerTunnel, options: WaitOptions): Promise<void>;
  /** Removes whatever of the tunnel is there. Can be repeated; works when the namespace is gone. */
  tearDown(tunnel: WorkerTunnel, options: WaitOptions): Promise<void>;
}

/** What a VM is told at its birth, and what the relay needs to trust it afterwards. */
export interface GuestSetup {
  /** The cloud-config document. Holds private keys: it goes to the provider and nowhere else. */
  readonly userData: string;
  /** Absent when TLS is switched off. */
  readonly tls?: RelayTls;
}

/** Prepares {@link GuestSetup}: certificates, `apf.json`, initdata. Called once per start, before the first attempt. */
export interface GuestPreparation {
  prepare(record: SandboxRecord, options: WaitOptions): Promise<GuestSetup>;
}

/** The pod's directory on the worker, which holds its agent socket. */
export interface PodDirectories {
  /** Absolute path that the sandbox's agent socket will have. Pure. */
  agentSocketPath(sandboxId: string): string;
  /** Makes the directory, mode 0700; it may exist. */
  create(sandboxId: string): Promise<void>;
  /** Removes it with all it holds; it may be gone. */
  remove(sandboxId: string): Promise<void>;
}

/**
 * The sandbox's record in the cluster, derived from the journal's: what is left when this node is lost. The cluster never
 * decides about a sandbox and never holds up its start; what it cannot take now, it is given later.
 */
export interface ClusterRecords {
  /** UID of the sandbox's Pod; `undefined` when the cluster does not tell in time. Rejects with `signal.reason` only. */
  podUid(record: SandboxRecord, options: WaitOptions): Promise<string | undefined>;
  /**
   * An attempt is on disk, and the cloud is asked next. Resolves when the cluster has it, or fails to take it, or takes too
   * long. Rejects with `signal.reason` only.
   */
  intended(record: SandboxRecord, options: WaitOptions): Promise<void>;
  /** Nothing of the sandbox is left. Resolves when the cluster holds no record of it any more, however long that takes. */
  release(record: SandboxRecord, options: WaitOptions): Promise<void>;
}

/** A start that failed, with what its guest wrote. */
export interface FailedStart {
  readonly sandboxId: string;
  readonly podName: string;
  readonly podNamespace: string;
  /** Why it failed, one line. */
  readonly reason: string;
  /** When; milliseconds since the epoch. */
  readonly atMs: number;
  readonly logs: readonly ConsoleLog[];
}

/** Memory of failed starts for people; it is bounded, and nothing depends on it. */
export interface FailedStarts {
  /** Copies what the guest wrote, before its instance is deleted. Can be repeated. */
  keep(record: SandboxRecord, options: WaitOptions): Promise<void>;
  list(): Promise<readonly FailedStart[]>;
}

/** What {@link Journal.load} found. */
export interface JournalContent {
  readonly records: readonly SandboxRecord[];
  /** Entries that could not be read, now or by earlier daemons. They were moved aside, and stay until a person removes them. */
  readonly quarantined: readonly QuarantinedEntry[];
}

export interface QuarantinedEntry {
  readonly sandboxId: string;
  /** Where the entry lies now. */
  readonly path: string;
  readonly reason: string;
}

/** Memory of the lifecycle across restarts. Every promise that resolves means: on disk, whatever happens next. */
export interface Journal {
  load(): Promise<JournalContent>;
  /** Writes or replaces the record of a sandbox. */
  write(record: SandboxRecord): Promise<void>;
  /** Forgets a sandbox; one that is not there is no error. */
  remove(sandboxId: string): Promise<void>;
  /** First pod index that was never handed out, as far as the disk knows. */
  loadNextIndex(): Promise<number>;
  saveNextIndex(index: number): Promise<void>;
}
