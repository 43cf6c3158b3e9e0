import type { OptionSpec, OptionValues } from "@peerpods/cloud-providers";
import { CONFIG_MAP_NAME, LEASE_NAME, SECRET_NAME } from "../api/names.ts";

/** Options of the program. Names and defaults of the reference are kept where it has them. */
export const managerOptions: OptionSpec = [
  {
    flag: "kubeconfig",
    type: "string",
    help: "Kubeconfig file; default: KUBECONFIG, else the pod's service account",
  },
  {
    flag: "namespace",
    env: "PEERPODS_NAMESPACE",
    type: "string",
    help: "Namespace of ConfigMap, Secret and Lease; default: the pod's own",
  },
  {
    flag: "config-map",
    env: "PEERPODS_CONFIG_MAP",
    type: "string",
    default: CONFIG_MAP_NAME,
    help: "Providers' options",
  },
  {
    flag: "secret",
    env: "PEERPODS_SECRET",
    type: "string",
    default: SECRET_NAME,
    help: "Name of the Secret with providers' options; a key in both counts from here",
  },
  {
    flag: "cluster-id",
    env: "CLUSTER_ID",
    type: "string",
    help: "Tag value of this cluster's instances, the same as the daemons'; default: the UID of the namespace kube-system",
  },
  {
    flag: "workers",
    env: "WORKERS",
    type: "int",
    default: 10,
    min: 1,
    max: 200,
    help: "PeerPods finalized at once",
  },
  {
    flag: "cloud-timeout",
    env: "CLOUD_TIMEOUT",
    type: "duration",
    default: "10m",
    help: "Limit of one deletion, until the cloud has confirmed it",
  },
  {
    flag: "sweep-interval",
    env: "SWEEP_INTERVAL",
    type: "duration",
    default: "10m",
    help: "Pause between sweeps for orphaned instances; 0s turns them off",
  },
  {
    flag: "sweep-grace",
    env: "SWEEP_GRACE",
    type: "duration",
    default: "10m",
    help: "How long an instance must have been orphaned before a sweep deletes it",
  },
  { flag: "leader-elect", type: "bool", default: false, help: "Take turns with other replicas" },
  { flag: "leader-elect-id", type: "string", default: LEASE_NAME, help: "Name of the Lease" },
  {
    flag: "metrics-bind-address",
    type: "string",
    default: ":8080",
    help: "Where /metrics is served; empty: nowhere",
  },
  {
    flag: "health-probe-bind-address",
    type: "string",
    default: ":8081",
    help: "Where /healthz and /readyz are served; empty: nowhere",
  },
  {
    flag: "state-dir",
    env: "STATE_DIR",
    type: "string",
    default: "/tmp/peerpod-ctrl",
    help: "Directory for what providers keep; nothing in it is needed after a restart",
  },
  {
    flag: "stop-grace",
    type: "duration",
    default: "20s",
    help: "How long deletions in work may go on after a signal",
  },
  {
    flag: "log-level",
    env: "LOG_LEVEL",
    type: "string",
    default: "info",
    oneOf: ["debug", "info", "warn", "error"],
    help: "Least level that is logged",
  },
];

/** Options of `peerpod-ctrl sweep`, besides those above. */
export const sweepOptions: OptionSpec = [
  { flag: "dry-run", type: "bool", default: false, help: "Only show what would be deleted" },
  { flag: "output", type: "string", default: "table", oneOf: ["table", "json"], help: "Form of the report" },
];

/** Parsed options of the program. */
export interface ManagerSettings {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly configMap: string;
  readonly secret: string;
  readonly clusterId: string;
  readonly workers: number;
  readonly cloudTimeoutMs: number;
  readonly sweepIntervalMs: number;
  readonly sweepGraceMs: number;
  readonly leaderElect: boolean;
  readonly leaseName: string;
  readonly metricsAddress: string;
  readonly healthAddress: string;
  readonly stateDir: string;
  readonly stopGraceMs: number;
  readonly logLevel: string;
}

/** @param podNamespace of the service account, if this runs in a pod. @throws Error when no namespace is known. */
export function toManagerSettings(values: OptionValues, podNamespace: string): ManagerSettings {
  const text = (flag: string) => values[flag] as string;
  const number = (flag: string) => values[flag] as number;
  const namespace = text("namespace") === "" ? podNamespace : text("namespace");
  if (namespace === "")
    throw new Error(
      "no namespace: give --namespace or PEERPODS_NAMESPACE, or run in a pod with a service account",
    );
  return {
    kubeconfig: text("kubeconfig"),
    namespace,
    configMap: text("config-map"),
    secret: text("secret"),
    clusterId: text("cluster-id"),
    workers: number("workers"),
    cloudTimeoutMs: number("cloud-timeout"),
    sweepIntervalMs: number("sweep-interval"),
    sweepGraceMs: number("sweep-grace"),
    leaderElect: values["leader-elect"] === true,
    leaseName: text("leader-elect-id"),
    metricsAddress: text("metrics-bind-address"),
    healthAddress: text("health-probe-bind-address"),
    stateDir: text("state-dir"),
    stopGraceMs: number("stop-grace"),
    logLevel: text("log-level"),
  };
}
