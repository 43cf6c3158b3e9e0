import type { Bench } from "../bench.ts";
import { ensure, type Rule } from "../rule.ts";
import type { ApiCalls } from "../target.ts";

/** One read that confirms, and one that looks for sub-resources. */
const MORE_THAN_REFERENCE = 2;

/** How much a provider asks of its cloud. */
export const callRules: readonly Rule[] = [
  {
    id: "call-count",
    title:
      "One creation and its deletion take no more calls than the reference's, one confirming read and one for sub-resources",
    source: "design, section 6: clouds limit calls by account",
    needs: ["apiCalls"],
    async run(bench) {
      const { seen, reference } = bench.target.apiCalls as ApiCalls;
      // What is asked only once, of image and types, is asked here.
      const first = await callsOfOneLife(bench, seen);
      const { creation, deletion } = await callsOfOneLife(bench, seen);
      const count = creation.length + deletion.length;
      const limit = reference.length + MORE_THAN_REFERENCE;
      const once = first.creation.filter((name) => !creation.includes(name));
      bench.note = [
        `creation: ${creation.join(", ")}`,
        `deletion: ${deletion.join(", ")}`,
        ...(once.length === 0 ? [] : [`once: ${once.join(", ")}`]),
        `${count} of at most ${limit}; the reference makes ${reference.length}: ${reference.join(", ")}`,
      ].join("; ");
      ensure(count <= limit, bench.note);
    },
  },
];

async function callsOfOneLife(
  bench: Bench,
  seen: ApiCalls["seen"],
): Promise<{ readonly creation: readonly string[]; readonly deletion: readonly string[] }> {
  const request = bench.request();
  const before = seen().length;
  await bench.create(request);
  const created = seen().length;
  await bench.remove(request);
  return { creation: onceEach(seen().slice(before, created)), deletion: onceEach(seen().slice(created)) };
}

/** Without the repetitions of a call in a row: how often a wait looks is the cloud's pace, not the provider's. */
function onceEach(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => name !== names[index - 1]);
}
