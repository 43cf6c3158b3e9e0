import { latency } from "./latency.ts";
import { rate } from "./rate.ts";
import type { Section } from "./section.ts";
import { throughput } from "./throughput.ts";

/** All sections in the order of the report. */
export const sections: readonly Section[] = [latency, rate, throughput];

/** Names for several sections together. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  relay: ["latency", "rate", "throughput"],
};
