import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { metricDefinitions, type MetricDefinition, type MetricName } from "./definitions.ts";

type Named<T extends MetricDefinition["type"]> = {
  [N in MetricName]: (typeof metricDefinitions)[N]["type"] extends T ? N : never;
}[MetricName];

/** The metrics by name, in a registry of their own. */
export interface Instruments {
  readonly registry: Registry;
  readonly counter: (name: Named<"counter">) => Counter;
  readonly gauge: (name: Named<"gauge">) => Gauge;
  readonly histogram: (name: Named<"histogram">) => Histogram;
}

/** Makes every metric of {@link metricDefinitions}. The library is loaded only now. */
export async function createInstruments(): Promise<Instruments> {
  const { Counter, Gauge, Histogram, Registry } = await import("prom-client");
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, definition] of Object.entries<MetricDefinition>(metricDefinitions)) {
    const { type, labels, help, buckets } = definition;
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === "counter") counters.set(name, new Counter(options));
    else if (type === "gauge") gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...(buckets ?? [])] }));
  }
  return {
    registry,
    counter: (name) => existing(counters, name),
    gauge: (name) => existing(gauges, name),
    histogram: (name) => existing(histograms, name),
  };
}

function existing<T>(metrics: ReadonlyMap<string, T>, name: string): T {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`no metric ${name} of this type`);
  return metric;
}
