import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Observer } from "../controller/observer.ts";
import type { RequestObservation } from "../kubernetes/kube-client.ts";

/** What the gauges show when they are read. */
export interface LiveFigures {
  readonly queueDepth: number;
  readonly inWork: number;
  readonly peerPods: number;
  readonly deleting: number;
  readonly leading: boolean;
}

/** Prometheus metrics of one manager, in a registry of its own. */
export interface ManagerMetrics {
  readonly observer: Observer;
  observeRequest(observation: RequestObservation): void;
  /** Where the gauges are read from now on. */
  watch(figures: () => LiveFigures): void;
  /** Prometheus' text form. */
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(): ManagerMetrics {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  collectDefaultMetrics({ register: registry });
  let figures: () => LiveFigures = () => ({
    queueDepth: 0,
    inWork: 0,
    peerPods: 0,
    deleting: 0,
    leading: false,
  });

  const reconciles = new Counter({
    name: "peerpod_ctrl_reconciles_total",
    help: "Reconciles by outcome; stuck: not tried again until something changes",
    labelNames: ["outcome"],
    registers: [...registers],
  });
  const reconcileSeconds = new Histogram({
    name: "peerpod_ctrl_reconcile_seconds",
    help: "Duration of reconciles",
    buckets: [0.01, 0.05, 0.2, 1, 5, 20, 60, 300],
    registers: [...registers],
  });
  const callSeconds = new Histogram({
    name: "peerpod_ctrl_provider_delete_seconds",
    help: "Duration of deletions in the cloud until it confirms; outcome is ok or the error's code",
    labelNames: ["provider", "outcome"],
    buckets: [0.05, 0.2, 1, 5, 20, 60, 300],
    registers: [...registers],
  });
  const orphans = new Gauge({
    name: "peerpod_ctrl_orphans",
    help: "Orphaned instances at the last sweep: waiting for their grace period, or not deletable",
    labelNames: ["state"],
    registers: [...registers],
  });
  const orphansDeleted = new Counter({
    name: "peerpod_ctrl_orphans_deleted_total",
    help: "Orphaned instances that sweeps have deleted",
    registers: [...registers],
  });
  const requests = new Counter({
    name: "peerpod_ctrl_kubernetes_requests_total",
    help: "Requests to the API server; outcome is the HTTP status or the error's code",
    labelNames: ["verb", "resource", "outcome"],
    registers: [...registers],
  });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [...registers],
      collect() {
        this.set(value());
      },
    });
  gauge("peerpod_ctrl_queue_depth", "PeerPods ready to be reconciled", () => figures().queueDepth);
  gauge("peerpod_ctrl_in_work", "PeerPods being reconciled", () => figures().inWork);
  gauge("peerpod_ctrl_peerpods", "PeerPods in the cluster", () => figures().peerPods);
  gauge(
    "peerpod_ctrl_peerpods_deleting",
    "PeerPods that wait for their instance's deletion",
    () => figures().deleting,
  );
  gauge("peerpod_ctrl_leading", "1 where this replica leads", () => (figures().leading ? 1 : 0));

  return {
    observer: {
      reconciled(outcome, seconds) {
        reconciles.inc({ outcome });
        reconcileSeconds.observe(seconds);
      },
      providerCall: ({ provider, outcome, seconds }) => callSeconds.observe({ provider, outcome }, seconds),
      orphans({ waiting, deleted, failed }) {
        orphans.set({ state: "waiting" }, waiting);
        orphans.set({ state: "failed" }, failed);
        orphansDeleted.inc(deleted);
      },
    },
    observeRequest: ({ verb, resource, outcome }) => requests.inc({ verb, resource, outcome }),
    watch(read) {
      figures = read;
    },
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
