import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareBinaries } from "@peerpods/test-cluster";
import { createFakeCloud, type FakeCloud } from "@peerpods/cloud-providers/testing";
import { freePort, startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import { inParallel } from "./in-parallel.ts";
import {
  configMaps,
  createHand,
  resource,
  serveCloud,
  startPeerPodCluster,
  type PeerPodCluster,
} from "./internals.ts";
import { cpuSeconds } from "./process-cost.ts";
import { bundle } from "./programs.ts";

const NAMESPACE = "default";
const AT_A_TIME = 20;
/** The cloud's creations take their time, and cost nothing. */
const CREATIONS_AT_A_TIME = 40;
const LATENCY_MS = 200;

/** A real API server, a cloud that takes its time, and the bundled controller in processes of its own. */
export interface ControllerStand extends AsyncDisposable {
  readonly api: PeerPodCluster;
  readonly cloud: FakeCloud;
  /** Deletions that the cloud was asked for so far. */
  deletions(): number;
  /** PeerPods with an instance each. */
  makePods(prefix: string, count: number): Promise<void>;
  /** PeerPods as objects only: no instance, no finalizer. */
  makeRecords(prefix: string, count: number): Promise<void>;
  deleteAll(): Promise<void>;
  remaining(): Promise<number>;
  start(name: string, args?: readonly string[]): Promise<ControllerProcess>;
  /** Requests of controllers so far; Events, watches and leases are not counted. */
  requests(): Promise<number>;
}

export interface ControllerProcess extends RunningProcess {
  peakMiB(): Promise<number>;
  cpuSeconds(): Promise<number>;
  /** A figure of its metrics; 0 when it is not there. */
  metric(line: string): Promise<number>;
}

/** @param directory for this stand only. */
export async function startControllerStand(directory: string): Promise<ControllerStand> {
  await prepareBinaries();
  await using parts = new AsyncDisposableStack();
  const programs = await bundle(join(directory, "controller"), {
    folder: "packages/peerpod-ctrl/src/testing",
    files: ["replica.ts"],
  });
  const cloud = createFakeCloud();
  const api = parts.use(await startPeerPodCluster({ users: { controller: ["system:masters"] } }));
  const hand = await createHand(api, cloud);
  const server = parts.use(await serveCloud(hand.provider));
  await writeFile(join(directory, "kubeconfig"), api.cluster.kubeconfig("controller"), { mode: 0o600 });
  await resource(api.kube, configMaps).create(
    { metadata: { name: "peer-pods-cm" }, data: { CLOUD_URL: server.url } },
    { namespace: NAMESPACE },
  );
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
  const owned = parts.move();
  return {
    api,
    cloud,
    deletions: () => server.deletions.length,
    async makePods(prefix, count) {
      cloud.latencyMs = 0;
      await inParallel(names(prefix, count), CREATIONS_AT_A_TIME, async (name) => {
        await hand.peerPod({ name, namespace: NAMESPACE });
      });
      cloud.latencyMs = LATENCY_MS;
    },
    makeRecords: (prefix, count) =>
      inParallel(names(prefix, count), AT_A_TIME, async (name) => {
        const object = { metadata: { name }, spec: { cloudProvider: "fake" } };
        await api.peerPods.create(
          { apiVersion: "confidentialcontainers.org/v1alpha1", kind: "PeerPod", ...object },
          { namespace: NAMESPACE },
        );
      }),
    async deleteAll() {
      const { items } = await api.peerPods.list({ namespace: NAMESPACE });
      await inParallel(items, AT_A_TIME, ({ metadata: { name, uid } }) =>
        api.peerPods.delete({ namespace: NAMESPACE, name }, { uid }),
      );
    },
    remaining: async () => (await api.peerPods.list({ namespace: NAMESPACE })).items.length,
    start: (name, args = []) =>
      startController({ name, args, directory, program: join(programs, "replica.mjs") }),
    async requests() {
      const entries = await api.cluster.auditLog();
      return entries.filter(
        ({ user, verb, objectRef }) =>
          user.username === "controller" &&
          verb !== "watch" &&
          !["events", "leases"].includes(objectRef?.resource ?? ""),
      ).length;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startController({
  name,
  args,
  directory,
  program,
}: {
  readonly name: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly program: string;
}): Promise<ControllerProcess> {
  const [health, metrics] = [await freePort(), await freePort()];
  const logFile = join(directory, `${name}.log`);
  const running = await startProcess(
    process.execPath,
    [
      program,
      `--kubeconfig=${directory}/kubeconfig`,
      `--namespace=${NAMESPACE}`,
      "--cluster-id=c1",
      `--state-dir=${directory}/${name}`,
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-bind-address=127.0.0.1:${metrics}`,
      "--sweep-interval=0s",
      ...args,
    ],
    { logFile },
  );
  await until(
    `controller ${name} is ready`,
    async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok,
    {
      timeoutMs: 120_000,
    },
  );
  return {
    ...running,
    async peakMiB() {
      const status = await readFile(`/proc/${running.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024;
    },
    cpuSeconds: () => cpuSeconds([running.pid]),
    async metric(line) {
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
      return Number(
        text
          .split("\n")
          .find((each) => each.startsWith(`${line} `))
          ?.slice(line.length + 1) ?? 0,
      );
    },
  };
}
