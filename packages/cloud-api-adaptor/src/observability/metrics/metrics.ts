import { readdir } from "node:fs/promises";
import type { SandboxStatus } from "../../sandbox/lifecycle.ts";
import type { RelayControl, RelaySandbox } from "../../sandbox/ports.ts";
import type { Phase } from "../../sandbox/record.ts";
import type { Observer } from "../observer.ts";
import { createInstruments } from "./instruments.ts";
import { createRelayTally } from "./relay-totals.ts";
import { endedSteps } from "./sandbox-steps.ts";

const RELAY_TIMEOUT_MS = 2_000;
const phases: readonly Phase[] = ["created", "starting", "running", "stopping", "failed"];
const vmStates: readonly RelaySandbox["state"][] = ["connecting", "connected", "reconnecting", "lost"];

/** What is known of the cluster. */
export interface ClusterSource {
  /** PeerPods that are not yet what they should be; absent without Kubernetes. */
  readonly peerPodsBehind: (() => number) | undefined;
}

/** What is looked at when somebody asks for the metrics. */
export interface MetricsSource extends ClusterSource {
  readonly list: () => readonly SandboxStatus[];
  readonly relay: Pick<RelayControl, "list">;
}

/** The daemon's Prometheus metrics. */
export interface Metrics extends Observer {
  /** Names the source; before that, only what was told is exposed. */
  watch(source: MetricsSource): void;
  /** The text of `/metrics`. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsFacts {
  readonly version: string;
  readonly provider: string;
  /** Negative: no limit. */
  readonly sandboxLimit: number;
}

export async function createMetrics(facts: MetricsFacts): Promise<Metrics> {
  const { registry, counter, gauge, histogram } = await createInstruments();
  const tally = createRelayTally();
  let source: MetricsSource | undefined;
  gauge("peerpods_build_info").set(
    { version: facts.version, provider: facts.provider, node_version: process.version },
    1,
  );
  gauge("peerpods_sandbox_limit").set(Math.max(-1, facts.sandboxLimit));
  gauge("process_start_time_seconds").set(Date.now() / 1000 - process.uptime());
  // A series that exists from the start can be told from one that is missing.
  for (const result of ["running", "failed"]) counter("peerpods_sandbox_starts_total").inc({ result }, 0);
  for (const direction of ["to_vm", "to_shim"]) {
    counter("peerpods_relay_frames_total").inc({ direction }, 0);
    counter("peerpods_relay_bytes_total").inc({ direction }, 0);
  }

  const lookAtSandboxes = (sandboxes: readonly SandboxStatus[]): void => {
    for (const phase of phases) {
      const count = sandboxes.filter(({ record }) => record.phase === phase).length;
      gauge("peerpods_sandboxes").set({ phase }, count);
    }
    gauge("peerpods_failed_removals").set(
      sandboxes.filter(({ lastError }) => lastError !== undefined).length,
    );
  };
  const lookAtRelay = async (relay: MetricsSource["relay"]): Promise<void> => {
    const answer = await relay.list({ signal: AbortSignal.timeout(RELAY_TIMEOUT_MS) }).catch(() => undefined);
    gauge("peerpods_relay_up").set(answer === undefined ? 0 : 1);
    for (const vm of vmStates)
      gauge("peerpods_relay_connections").set(
        { vm },
        answer?.filter(({ state }) => state === vm).length ?? 0,
      );
    if (answer === undefined) return;
    const { frames, bytes, reconnects } = tally(answer);
    counter("peerpods_relay_frames_total").inc({ direction: "to_vm" }, frames.toVm);
    counter("peerpods_relay_frames_total").inc({ direction: "to_shim" }, frames.toShim);
    counter("peerpods_relay_bytes_total").inc({ direction: "to_vm" }, bytes.toVm);
    counter("peerpods_relay_bytes_total").inc({ direction: "to_shim" }, bytes.toShim);
    counter("peerpods_relay_reconnects_total").inc(reconnects);
  };
  let cpuBefore = 0;
  const lookAtProcess = async (): Promise<void> => {
    const { user, system } = process.cpuUsage();
    const cpu = (user + system) / 1e6;
    counter("process_cpu_seconds_total").inc(Math.max(0, cpu - cpuBefore));
    cpuBefore = cpu;
    gauge("process_resident_memory_bytes").set(process.memoryUsage.rss());
    const open = await readdir("/proc/self/fd").catch(() => undefined);
    if (open !== undefined) gauge("process_open_fds").set(open.length);
  };
  const collect = async (): Promise<void> => {
    await lookAtProcess();
    if (source === undefined) return;
    lookAtSandboxes(source.list());
    if (source.peerPodsBehind !== undefined) gauge("peerpods_peerpods_behind").set(source.peerPodsBehind());
    await lookAtRelay(source.relay);
  };

  return {
    hypervisorCall: ({ name, code, startMs, endMs }) =>
      histogram("peerpods_hypervisor_call_seconds").observe({ call: name, code }, (endMs - startMs) / 1000),
    providerCall: ({ name: method, code, startMs, endMs }) => {
      const { provider } = facts;
      counter("peerpods_provider_calls_total").inc({ provider, method, code });
      histogram("peerpods_provider_call_seconds").observe({ provider, method }, (endMs - startMs) / 1000);
    },
    sandboxChanged: (now, before) => {
      for (const { step, seconds } of endedSteps(now, before))
        histogram("peerpods_sandbox_step_seconds").observe({ step }, seconds);
      if (now.phase !== before?.phase && (now.phase === "running" || now.phase === "failed"))
        counter("peerpods_sandbox_starts_total").inc({ result: now.phase });
    },
    sandboxGone: ({ times }, atMs) => {
      if (times.endingMs !== undefined)
        histogram("peerpods_sandbox_step_seconds").observe(
          { step: "removal" },
          (atMs - times.endingMs) / 1000,
        );
    },
    kubernetesRequest: ({ verb, resource, outcome }) =>
      counter("peerpods_kubernetes_requests_total").inc({ verb, resource, outcome }),
    watch: (next) => {
      source = next;
    },
    expose: async () => {
      await collect();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
