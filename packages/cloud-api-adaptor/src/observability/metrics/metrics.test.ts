import { ProviderError } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Lifecycle } from "../../sandbox/lifecycle.ts";
import { createRequest, patient, sandboxId, World } from "../../sandbox/testing/world.ts";
import { followLifecycle } from "../follow.ts";
import { observeProvider } from "../observe-provider.ts";
import { combineObservers } from "../observer.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

let world: World;
let metrics: Metrics;
let resources: AsyncDisposableStack;

beforeEach(async () => {
  world = new World();
  metrics = await createMetrics({ version: "1.2.3", provider: "fake", sandboxLimit: 10 });
  const { providerCall } = combineObservers([metrics]);
  world.provider = observeProvider(world.cloud, { tell: providerCall, now: () => world.clock.now() });
  resources = new AsyncDisposableStack();
  resources.use(world);
});
afterEach(() => resources.disposeAsync());

async function daemonWithMetrics(): Promise<Lifecycle> {
  const daemon = await world.daemon();
  resources.use(followLifecycle(daemon, combineObservers([metrics]), () => world.clock.now()));
  metrics.watch({ list: () => daemon.list(), relay: world.relay, peerPodsBehind: () => 3 });
  return daemon;
}

/** The value of a series as it is exposed, e.g. `name{label="x"}`. */
async function value(series: string): Promise<number | undefined> {
  const { text } = await metrics.expose();
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

it("counts sandboxes, starts, steps, provider calls and what the relay carries", async () => {
  const daemon = await daemonWithMetrics();
  await daemon.create(createRequest(), patient);
  expect(await value('peerpods_sandboxes{phase="created"}')).toBe(1);
  await daemon.start(sandboxId, patient);
  await expect.poll(() => value('peerpods_sandbox_starts_total{result="running"}')).toBe(1);
  expect(await value('peerpods_sandboxes{phase="created"}')).toBe(0);
  expect(await value('peerpods_sandboxes{phase="running"}')).toBe(1);
  for (const step of ["waiting", "instance", "tunnel", "connect", "start"])
    expect(await value(`peerpods_sandbox_step_seconds_count{step="${step}"}`)).toBe(1);
  expect(
    await value('peerpods_provider_calls_total{provider="fake",method="createInstance",code="ok"}'),
  ).toBe(1);
  expect(await value('peerpods_relay_connections{vm="connected"}')).toBe(1);
  expect(await value("peerpods_relay_up")).toBe(1);

  await daemon.stop(sandboxId);
  await expect.poll(() => value('peerpods_sandbox_step_seconds_count{step="removal"}')).toBe(1);
  expect(await value('peerpods_sandbox_step_seconds_count{step="run"}')).toBe(1);
  expect(await value('peerpods_sandboxes{phase="running"}')).toBe(0);
  expect(await value('peerpods_sandbox_starts_total{result="failed"}')).toBe(0);
});

it("counts failed starts and the errors of the provider by code", async () => {
  const daemon = await daemonWithMetrics();
  world.cloud.before = async (call) => {
    if (call === "create") throw new ProviderError("quota_exceeded", "no more");
  };
  await daemon.create(createRequest(), patient);
  await expect(daemon.start(sandboxId, patient)).rejects.toMatchObject({ code: "start_failed" });
  await expect.poll(() => value('peerpods_sandbox_starts_total{result="failed"}')).toBe(1);
  expect(
    await value(
      'peerpods_provider_calls_total{provider="fake",method="createInstance",code="quota_exceeded"}',
    ),
  ).toBe(1);
});

it("does not count again what an earlier daemon has counted", async () => {
  const first = await world.daemon();
  await first.create(createRequest(), patient);
  await first.start(sandboxId, patient);
  await first.close(patient);
  await daemonWithMetrics();
  expect(await value('peerpods_sandboxes{phase="running"}')).toBe(1);
  expect(await value('peerpods_sandbox_starts_total{result="running"}')).toBe(0);
  expect(await value('peerpods_sandbox_step_seconds_count{step="start"}')).toBeUndefined();
});

it("says that the relay is away, and goes on", async () => {
  await daemonWithMetrics();
  world.relay.before = () => Promise.reject(new Error("nobody there"));
  expect(await value("peerpods_relay_up")).toBe(0);
  expect(await value('peerpods_relay_connections{vm="connected"}')).toBe(0);
});

it("tells of the daemon itself", async () => {
  expect(await value("process_open_fds")).toBeGreaterThan(3);
  expect(await value("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  expect(await value("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(await value("peerpods_sandbox_limit")).toBe(10);
  const labels = `version="1.2.3",provider="fake",node_version="${process.version}"`;
  expect(await value(`peerpods_build_info{${labels}}`)).toBe(1);
});
