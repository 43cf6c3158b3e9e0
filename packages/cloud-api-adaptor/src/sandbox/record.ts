/**
 * What the daemon knows of one sandbox, and the phases it goes through.
 *
 * ```
 *   CreateVM        StartVM                              StopVM, reaped
 *  ─────────▶ created ──────▶ starting ──────▶ running ───────────────▶ stopping ──▶ (gone)
 *                │               │  attempt n: intent, then instance,        ▲
 *                │               │  then tunnel and relay                    │
 *                │               ├──────────▶ failed ──▶ (gone)              │
 *                │               └───────────────────────────────────────────┤
 *                └───────────────────────────────────────────────────────────┘
 * ```
 *
 * | phase | on disk before | what may exist outside | after a crash |
 * |---|---|---|---|
 * | created | the pod's directory | directory | kept; StartVM may still come |
 * | starting | each cloud call | the instance of each listed attempt; with `instance` also tunnel and relay entry | undone |
 * | running | StartVM's answer | all of it | adopted while the relay still carries it, else undone |
 * | stopping, failed | the first removal | any part of it | undoing goes on |
 * | gone | - | nothing | the entry is removed last |
 *
 * A record is a value: each move makes a new one (`transitions.ts`), which is journaled before the move's act.
 */

import type { Instance, InstanceSpec, Placement } from "@peerpods/cloud-providers";
import type { WorkerTunnel } from "@peerpods/pod-network";
import type { PodNetworkConfig } from "@peerpods/podvm-contract";

export type Phase = "created" | "starting" | "running" | "stopping" | "failed";

/** One try to get an instance. Listed from before the cloud is asked until nothing of it can exist any more. */
export interface Attempt {
  /** Counts from 1 for each sandbox and is never used again. */
  readonly number: number;
  /** Idempotency token derived from sandbox id and number. */
  readonly token: string;
  readonly placement?: Placement;
  /** Known once the cloud has answered. */
  readonly instanceId?: string;
}

/** When the phases began; milliseconds since the epoch. Absent: not reached. */
export interface SandboxTimes {
  readonly createdMs: number;
  readonly startingMs?: number;
  /** The cloud named the instance. */
  readonly instanceMs?: number;
  readonly tunnelMs?: number;
  /** The relay reached the forwarder. */
  readonly connectedMs?: number;
  readonly runningMs?: number;
  /** Stopping or failed. */
  readonly endingMs?: number;
}

export interface SandboxRecord {
  readonly sandboxId: string;
  /** With the node's name, marks every cloud resource. As it was at creation, whatever is configured now. */
  readonly clusterId: string;
  readonly nodeName: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly netnsPath: string;
  readonly agentSocketPath: string;
  /** Name of the instance and of its TLS server certificate. */
  readonly instanceName: string;
  readonly spec: InstanceSpec;
  readonly network: PodNetworkConfig & { readonly vxlanId: number; readonly vxlanPort: number };
  /** The pod's own initdata, TOML; absent means the daemon's default. */
  readonly initdata?: string;
  /** UID of the Pod, where the cluster told it before the first attempt; the Pod may be gone, and another have its name. */
  readonly podUid?: string;
  readonly phase: Phase;
  /** Number of the latest attempt; 0 before the first. */
  readonly lastAttempt: number;
  readonly attempts: readonly Attempt[];
  readonly instance?: Instance;
  /** Present from before the tunnel is set up and the relay is told. */
  readonly tunnel?: WorkerTunnel;
  /** Why it is stopping or failed. */
  readonly reason?: string;
  /** Code of the error that made it fail, where that has one; for those who explain it. */
  readonly failureCode?: string;
  readonly times: SandboxTimes;
}
