import type { Logger } from "@peerpods/cloud-providers";
import type { Observer } from "../observer.ts";

/** Tracing that is switched on. Disposal sends what is left, for at most five seconds. */
export interface Tracing extends AsyncDisposable {
  readonly observer: Observer;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SHUTDOWN_TIMEOUT_MS = 5_000;

/**
 * Where traces go: the traces' own endpoint as it is, else the general one with the path `/v1/traces`. `undefined` when the
 * environment names neither, or switches traces off.
 */
export function tracesUrl(env: Environment): string | undefined {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" || env["OTEL_TRACES_EXPORTER"] === "none")
    return undefined;
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? "";
  const general = env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "";
  if (own !== "") return own;
  return general === "" ? undefined : `${general.replace(/\/+$/, "")}/v1/traces`;
}

/**
 * Sends traces to the collector that the environment names, as OTLP over HTTP with JSON. `undefined` when it names none;
 * the libraries are not loaded then. Headers, timeout and compression come from their standard variables.
 */
export async function openTracing({
  env,
  version,
  provider,
  node,
  logger,
}: {
  readonly env: Environment;
  readonly version: string;
  readonly provider: string;
  readonly node: string;
  readonly logger: Logger;
}): Promise<Tracing | undefined> {
  const url = tracesUrl(env);
  if (url === undefined) return undefined;
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, resources, { createPodTraces }] =
    await Promise.all([
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
      import("./pod-traces.ts"),
    ]);
  const resource = resources.resourceFromAttributes({
    "service.name": env["OTEL_SERVICE_NAME"] || "cloud-api-adaptor",
    "service.version": version,
    "host.name": node,
  });
  const tracerProvider = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })],
  });
  return {
    observer: createPodTraces(tracerProvider.getTracer("peerpods", version), { provider }),
    [Symbol.asyncDispose]: async () => {
      const late = AbortSignal.timeout(SHUTDOWN_TIMEOUT_MS);
      const ended = Promise.withResolvers<void>();
      late.addEventListener("abort", () => ended.resolve(), { once: true });
      await Promise.race([
        tracerProvider
          .shutdown()
          .catch((error: unknown) => logger.warn({ err: error }, "the last traces could not be sent")),
        ended.promise,
      ]);
    },
  };
}
