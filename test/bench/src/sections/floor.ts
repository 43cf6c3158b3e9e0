import { measureAdded } from "./latency.ts";
import { missingForLines } from "./missing.ts";
import { measureRates } from "./rate.ts";
import type { Section } from "./section.ts";
import { measureThroughput, targetedPayloads } from "./throughput.ts";

/** What any two hops cost on this machine, beside ours and the comparator's in the same turns: what a target asks of it. */
export const floor: Section = {
  name: "floor",
  title: "what two hops cost that do nothing but copy: in Node with TLS, and bare",
  missing: missingForLines,
  async measure(context) {
    const lines = await context.lines();
    const pairs = {
      ours: lines.relayAndForwarder,
      comparator: lines.comparatorBoth,
      "Node + TLS": lines.bareNode,
      "bare copy": lines.bareCopy,
    };
    return [
      await measureAdded(lines.direct, pairs, context),
      ...(await measureRates(pairs, context)),
      ...(await measureThroughput({ direct: lines.direct, pairs, payloads: targetedPayloads }, context)),
    ];
  },
};
