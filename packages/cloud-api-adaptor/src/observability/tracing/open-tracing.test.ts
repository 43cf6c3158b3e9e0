import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { silentLogger } from "@peerpods/cloud-providers";
import { describe, expect, it, onTestFinished } from "vitest";
import { openTracing, tracesUrl } from "./open-tracing.ts";

const facts = { version: "1.2.3", provider: "fake", node: "worker-1", logger: silentLogger };

describe("the collector", () => {
  it.each<[Record<string, string>, string | undefined]>([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" }, "http://c:4318/v1/traces"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/otlp/" }, "http://c:4318/otlp/v1/traces"],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t/x" },
      "http://t/x",
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_SDK_DISABLED: "true" }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_TRACES_EXPORTER: "none" }, undefined],
  ])("of %j is %s", (env, url) => {
    expect(tracesUrl(env)).toBe(url);
  });
});

/** A collector that keeps what it is sent. */
async function startCollector() {
  const received: { readonly url: string; readonly body: unknown }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ url: request.url ?? "", body: JSON.parse(body) });
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
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it("sends what is left when it is disposed", async () => {
  const { received, url } = await startCollector();
  const tracing = await openTracing({ ...facts, env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
  tracing?.observer.hypervisorCallBegan?.({ name: "CreateVM", sandboxId: "sb1", startMs: 1 });
  tracing?.observer.hypervisorCall?.({
    name: "CreateVM",
    sandboxId: "sb1",
    code: "network",
    startMs: 1,
    endMs: 2,
  });
  await tracing?.[Symbol.asyncDispose]();
  await tracing?.[Symbol.asyncDispose]();
  expect(received.map((one) => one.url)).toEqual(["/v1/traces"]);
  const sent = JSON.stringify(received);
  for (const word of ["cloud-api-adaptor", "worker-1", "peerpods.pod", "hypervisor.CreateVM", "sb1"])
    expect(sent).toContain(word);
});

it("ends in time although no collector answers", async () => {
  const tracing = await openTracing({
    ...facts,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
  });
  tracing?.observer.hypervisorCallBegan?.({ name: "CreateVM", sandboxId: "sb1", startMs: 1 });
  tracing?.observer.sandboxGone?.({ sandboxId: "sb1" } as never, 2);
  await tracing?.[Symbol.asyncDispose]();
  // Nothing is left that could still be sent.
  await tracing?.[Symbol.asyncDispose]();
}, 30_000);

it.each([
  [{}, false, []],
  [{}, true, ["prom-client"]],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" }, false, ["@opentelemetry/sdk-trace"]],
])(
  "with %j and metrics %s the daemon loads %j of the libraries",
  async (env, metrics, expected) => {
    const telemetry = new URL("../telemetry.ts", import.meta.url).href;
    const program = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({ resolve: (name, context, next) => { seen.add(name); return next(name, context); } });
    const { openTelemetry } = await import(${JSON.stringify(telemetry)});
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const options = ${JSON.stringify({ ...facts, env, metrics, sandboxLimit: 1 })};
    const opened = await openTelemetry({ ...options, logger });
    await opened[Symbol.asyncDispose]();
    const libraries = ["prom-client", "@opentelemetry/sdk-trace"];
    console.log(JSON.stringify(libraries.filter((name) => seen.has(name))));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--conditions=@peerpods/source",
      "--input-type=module",
      "--eval",
      program,
    ]);
    expect(JSON.parse(stdout)).toEqual(expected);
  },
  60_000,
);
