import { controller } from "./controller.ts";
import { floor } from "./floor.ts";
import { latency } from "./latency.ts";
import { lifecycle } from "./lifecycle.ts";
import { memory } from "./memory.ts";
import { payloadMemory } from "./payload-memory.ts";
import { providers } from "./providers.ts";
import { rate } from "./rate.ts";
import { reference } from "./reference.ts";
import type { Section } from "./section.ts";
import { start } from "./start.ts";
import { throughput } from "./throughput.ts";

/** All sections in the order of the report. */
export const sections: readonly Section[] = [
  latency,
  rate,
  throughput,
  floor,
  payloadMemory,
  reference,
  lifecycle,
  memory,
  start,
  providers,
  controller,
];

/** Names for several sections together. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  relay: ["latency", "rate", "throughput", "floor", "payload-memory", "reference"],
  daemon: ["lifecycle", "memory", "start", "providers"],
};
