import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { freePort, until } from "@peerpods/test-harness";
import { expect, it, onTestFinished } from "vitest";
import { buildBusyboxImage } from "./stage/image.ts";
import { createWorkerNode } from "./stage/worker-node.ts";

const isRoot = process.geteuid?.() === 0;
const id = randomBytes(2).toString("hex");

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
}

/** An OTLP collector that keeps the spans it is sent. */
async function startCollector() {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: readonly { scopeSpans: readonly { spans: readonly Span[] }[] }[];
      };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return { spans, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it.skipIf(!isRoot)(
  "a pod shows in metrics and as one trace to its first container (needs root)",
  async () => {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const directory = await mkdtemp("/tmp/ppobs-");
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    await buildBusyboxImage(join(directory, "images"), "localhost/obs");
    const collector = await startCollector();
    const node = stack.use(
      await createWorkerNode({
        directory: join(directory, "node"),
        imageDirectory: join(directory, "images"),
        bridge: `ppo${id}`,
        subnet: "10.213.79.0/24",
      }),
    );
    const port = await freePort();
    process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url;
    stack.defer(() => {
      delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
    });
    await node.startDaemon([`-probe-port=${port}`]);
    const metrics = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(await metrics()).toContain('peerpods_sandboxes{phase="running"} 0');

    const pod = node.peerpods([
      "run",
      "--no-timeline",
      "localhost/obs",
      "--",
      "sh",
      "-c",
      "echo up; sleep 2",
    ]);
    // While it runs, so that the relay is asked at least once for what it has carried.
    await until("the relay's traffic is counted", async () =>
      /peerpods_relay_bytes_total\{direction="to_vm"\} [1-9]/.test(await metrics()),
    );
    expect((await pod).exitCode).toBe(0);
    await until("the removal is measured", async () =>
      (await metrics()).includes('peerpods_sandbox_step_seconds_count{step="removal"} 1'),
    );
    const exposed = await metrics();
    for (const line of [
      'peerpods_sandbox_starts_total{result="running"} 1',
      'peerpods_hypervisor_call_seconds_count{call="CreateVM",code="ok"} 1',
      'peerpods_hypervisor_call_seconds_count{call="StopVM",code="ok"} 1',
      'peerpods_provider_calls_total{provider="local",method="createInstance",code="ok"} 1',
      'peerpods_provider_calls_total{provider="local",method="deleteInstance",code="ok"} 1',
      "peerpods_relay_up 1",
    ])
      expect(exposed).toContain(line);

    const root = await until("the trace has arrived", () =>
      collector.spans.find(({ name }) => name === "peerpods.pod"),
    );
    const names = collector.spans.filter(({ traceId }) => traceId === root.traceId).map(({ name }) => name);
    expect(names.toSorted()).toEqual([
      "hypervisor.CreateVM",
      "hypervisor.StartVM",
      "peerpods.connect",
      "peerpods.containers",
      "peerpods.instance",
      "peerpods.pod",
      "peerpods.tunnel",
      "provider.createInstance",
    ]);
  },
);
