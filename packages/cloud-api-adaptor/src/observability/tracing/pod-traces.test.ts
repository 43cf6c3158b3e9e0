import { SpanStatusCode } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { ProviderError } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Lifecycle } from "../../sandbox/lifecycle.ts";
import type { RelaySandbox } from "../../sandbox/ports.ts";
import { createRequest, patient, sandboxId, World } from "../../sandbox/testing/world.ts";
import { followLifecycle } from "../follow.ts";
import { observeProvider } from "../observe-provider.ts";
import { combineObservers, type Observer } from "../observer.ts";
import { createPodTraces } from "./pod-traces.ts";

let world: World;
let exporter: InMemorySpanExporter;
let observer: Required<Observer>;
let resources: AsyncDisposableStack;
let daemon: Lifecycle;

beforeEach(async () => {
  world = new World();
  exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  observer = combineObservers([createPodTraces(provider.getTracer("test"), { provider: "fake" })]);
  world.provider = observeProvider(world.cloud, {
    tell: observer.providerCall,
    now: () => world.clock.now(),
  });
  resources = new AsyncDisposableStack();
  resources.use(world);
  daemon = await world.daemon();
  resources.use(followLifecycle(daemon, observer, () => world.clock.now()));
});
afterEach(() => resources.disposeAsync());

/** A call as the hypervisor service tells of it. */
async function hypervisorCall(name: string, act: () => Promise<unknown>): Promise<void> {
  const startMs = world.clock.now();
  observer.hypervisorCallBegan({ name, sandboxId, startMs });
  const code = await act().then(
    () => "ok",
    () => "start_failed",
  );
  observer.hypervisorCall({ name, sandboxId, code, startMs, endMs: world.clock.now() });
}
const create = () => hypervisorCall("CreateVM", () => daemon.create(createRequest(), patient));
const start = () => hypervisorCall("StartVM", () => daemon.start(sandboxId, patient));
const firstContainer = async (firstContainerMs: number) => {
  const [carried] = await world.relay.list(patient);
  observer.relayChanged({ ...(carried as RelaySandbox), firstContainerMs });
};
const spans = () => exporter.getFinishedSpans();
const names = () => spans().map(({ name }) => name);

it("is one trace from CreateVM to the first container, its steps below one span", async () => {
  await create();
  await start();
  await expect.poll(names).toContain("peerpods.connect");
  expect(names()).not.toContain("peerpods.pod");
  await firstContainer(world.clock.now() + 1500);
  expect(names().toSorted()).toEqual([
    "hypervisor.CreateVM",
    "hypervisor.StartVM",
    "peerpods.connect",
    "peerpods.containers",
    "peerpods.instance",
    "peerpods.pod",
    "peerpods.tunnel",
    "provider.createInstance",
  ]);
  const pod = spans().find(({ name }) => name === "peerpods.pod");
  expect(pod?.attributes).toMatchObject({
    "peerpods.sandbox.id": sandboxId,
    "k8s.pod.name": "web",
    "k8s.namespace.name": "default",
    "peerpods.provider": "fake",
  });
  expect(pod?.status.code).toBe(SpanStatusCode.UNSET);
  expect(pod?.duration).toEqual([1, 500_000_000]);
  const { traceId, spanId } = pod?.spanContext() ?? {};
  for (const span of spans().filter((one) => one !== pod))
    expect({ traceId: span.spanContext().traceId, parent: span.parentSpanContext?.spanId }).toEqual({
      traceId,
      parent: spanId,
    });
  // A second word of the relay adds nothing.
  await firstContainer(world.clock.now() + 9000);
  expect(names()).toHaveLength(8);
});

it("ends with the failure when the pod cannot be started, and says why", async () => {
  world.cloud.before = async (call) => {
    if (call === "create") throw new ProviderError("quota_exceeded", "no more machines");
  };
  await create();
  await start();
  await expect.poll(names).toContain("peerpods.pod");
  const pod = spans().find(({ name }) => name === "peerpods.pod");
  expect(pod?.status.code).toBe(SpanStatusCode.ERROR);
  expect(pod?.attributes["peerpods.reason"]).toContain("no more machines");
  const call = spans().find(({ name }) => name === "provider.createInstance");
  expect(call?.attributes["peerpods.code"]).toBe("quota_exceeded");
  expect(call?.status.code).toBe(SpanStatusCode.ERROR);
});

it("ends with a refused CreateVM", async () => {
  world.network.namespaces.clear();
  await create();
  expect(names()).toEqual(["hypervisor.CreateVM", "peerpods.pod"]);
});

it("ends when the pod is stopped before it had a container", async () => {
  await create();
  await start();
  await daemon.stop(sandboxId);
  await expect.poll(names).toContain("peerpods.pod");
  expect(names()).not.toContain("peerpods.containers");
});

it("keeps no more than a thousand pods open", async () => {
  for (let index = 0; index < 1_100; index += 1)
    observer.hypervisorCallBegan({ name: "CreateVM", sandboxId: `sb${index}`, startMs: index });
  expect(spans()).toHaveLength(100);
});
