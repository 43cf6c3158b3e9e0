/** One metric of the daemon, as it is exposed and documented. Times are in seconds, sizes in bytes. */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** From a cached local start to a slow cloud. */
const startBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** From an answer out of memory to a long operation of a cloud. */
const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Every metric there is; `docs/observability.md` describes each. */
export const metricDefinitions = {
  peerpods_build_info: {
    type: "gauge",
    labels: ["version", "provider", "node_version"],
    help: "Always 1; tells what runs",
  },
  peerpods_sandboxes: {
    type: "gauge",
    labels: ["phase"],
    help: "Sandboxes of this node by phase, those being removed included",
  },
  peerpods_sandbox_limit: {
    type: "gauge",
    labels: [],
    help: "Most sandboxes at once; -1 without a limit",
  },
  peerpods_sandbox_step_seconds: {
    type: "histogram",
    labels: ["step"],
    help: "Time of one step in the life of a sandbox",
    buckets: startBuckets,
  },
  peerpods_sandbox_starts_total: {
    type: "counter",
    labels: ["result"],
    help: "Starts of sandboxes that ended, by result",
  },
  peerpods_failed_removals: {
    type: "gauge",
    labels: [],
    help: "Sandboxes being removed whose removal has failed at least once and is repeated",
  },
  peerpods_hypervisor_call_seconds: {
    type: "histogram",
    labels: ["call", "code"],
    help: "Calls of the kata shim, by status code",
    buckets: callBuckets,
  },
  peerpods_provider_call_seconds: {
    type: "histogram",
    labels: ["provider", "method"],
    help: "Calls of the cloud provider, its own repetitions included",
    buckets: callBuckets,
  },
  peerpods_provider_calls_total: {
    type: "counter",
    labels: ["provider", "method", "code"],
    help: "Calls of the cloud provider by error code, or ok",
  },
  peerpods_relay_up: {
    type: "gauge",
    labels: [],
    help: "1 when the agent relay answered this scrape, else 0",
  },
  peerpods_relay_connections: {
    type: "gauge",
    labels: ["vm"],
    help: "Sandboxes that the relay carries, by the state of their VM connection",
  },
  peerpods_relay_frames_total: {
    type: "counter",
    labels: ["direction"],
    help: "Agent protocol frames relayed",
  },
  peerpods_relay_bytes_total: {
    type: "counter",
    labels: ["direction"],
    help: "Agent protocol bytes relayed",
  },
  peerpods_relay_reconnects_total: {
    type: "counter",
    labels: [],
    help: "Times that the relay got a lost VM connection back",
  },
  peerpods_peerpods_behind: {
    type: "gauge",
    labels: [],
    help: "PeerPods that the API server could not be given yet",
  },
  peerpods_kubernetes_requests_total: {
    type: "counter",
    labels: ["verb", "resource", "outcome"],
    help: "Requests to the Kubernetes API server by HTTP status or error code",
  },
  process_start_time_seconds: {
    type: "gauge",
    labels: [],
    help: "Start of the daemon, seconds since the epoch",
  },
  process_resident_memory_bytes: { type: "gauge", labels: [], help: "Resident memory of the daemon" },
  process_cpu_seconds_total: {
    type: "counter",
    labels: [],
    help: "User and system CPU time of the daemon",
  },
  process_open_fds: { type: "gauge", labels: [], help: "Open file descriptors of the daemon" },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metricDefinitions;
