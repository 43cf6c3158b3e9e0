import type { TimedCall } from "../../testing/call-context.ts";
import type { Bench } from "../bench.ts";
import { ensure, expectFailure, type Rule } from "../rule.ts";
import type { FaultFacility, Injection } from "../target.ts";

const source = "contract, CallContext";

/** How long after abort or deadline a call may take to reject. */
const SOON_MS = 1_000;
/** A provider that makes more calls than this for one instance is looping. */
const MAX_STEPS = 64;

/** Abort and deadline, before and during each call to the cloud. */
export const abortRules: readonly Rule[] = [
  {
    id: "abort-before",
    title: "A call that is over before it begins does nothing",
    source,
    needs: ["census"],
    async run(bench) {
      const before = await bench.census();
      const request = bench.request();
      const call = bench.call();
      call.abort();
      await expectFailureOfCall(bench.create(request, call), call);
      await expectFailureOfCall(bench.delete({ token: request.token, tags: request.tags }, call), call);
      await bench.ensureNothingNew(before, "after both calls");
    },
  },
  {
    id: "abort-create",
    title:
      "A creation aborted while the cloud does not answer, at each call in turn, rejects soon and leaves nothing",
    source,
    needs: ["faults", "census"],
    run: (bench) => endEachStep(bench, "abort", createAnew),
  },
  {
    id: "deadline-create",
    title: "A creation whose deadline passes, at each call in turn, rejects soon and leaves nothing",
    source,
    needs: ["faults", "census"],
    run: (bench) => endEachStep(bench, "deadline", createAnew),
  },
  {
    id: "abort-delete",
    title: "A deletion aborted at each call in turn rejects soon, and the next one finishes it",
    source,
    needs: ["faults", "census"],
    run: (bench) => endEachStep(bench, "abort", deleteAnew),
  },
];

interface Deed {
  /** Prepared before the stall is armed. */
  readonly act: (call: TimedCall) => Promise<unknown>;
  /** What a caller does afterwards, if it has to do anything. */
  readonly mend?: () => Promise<void>;
}

async function createAnew(bench: Bench): Promise<Deed> {
  const request = bench.request({ spec: bench.fullSpec() });
  return { act: (call) => bench.create(request, call) };
}

async function deleteAnew(bench: Bench): Promise<Deed> {
  const request = bench.request({ spec: bench.fullSpec() });
  await bench.create(request);
  return { act: (call) => bench.remove(request, call), mend: () => bench.remove(request) };
}

/** Does the deed again and again; each time another call of it is never answered, first unacted, then acted upon. */
async function endEachStep(
  bench: Bench,
  how: "abort" | "deadline",
  prepare: (bench: Bench) => Promise<Deed>,
): Promise<void> {
  const faults = bench.target.faults as FaultFacility;
  for (const acted of [false, true]) {
    for (let after = 0; ; after++) {
      ensure(after < MAX_STEPS, `more than ${MAX_STEPS} calls of the cloud's API`);
      const before = await bench.census();
      const deed = await prepare(bench);
      const stalled = await endOnce(bench, deed, { how, stall: () => faults.stall({ after, acted }) });
      if (!stalled) break;
      await deed.mend?.();
      const where = `call ${after + 1}, ${acted ? "acted upon" : "not acted upon"}`;
      await bench.ensureNothingNew(before, `after the ${how} at ${where}`);
    }
  }
}

/** @returns whether a call was stalled; else the deed has fewer calls, and simply succeeded. */
async function endOnce(
  bench: Bench,
  { act }: Deed,
  { how, stall }: { readonly how: "abort" | "deadline"; readonly stall: () => Injection },
): Promise<boolean> {
  using stalled = stall();
  using call = bench.call();
  const outcome = bench.outcome(act(call));
  await Promise.race([stalled.reached, outcome]);
  if (stalled.hits === 0) {
    await outcome;
    return false;
  }
  const { clock, undoMs = 0 } = bench.target;
  const over = clock.now();
  if (how === "abort") call.abort();
  else call.expire();
  const { ok } = await outcome;
  const tookMs = clock.now() - over;
  ensure(!ok, "the call succeeded although it was over");
  ensure(tookMs <= SOON_MS + undoMs, `it took ${tookMs} ms to reject`);
  await expectFailureOfCall(outcome.then(rethrow), call);
  return true;
}

function rethrow(outcome: { readonly ok: boolean; readonly error?: unknown }): never {
  throw outcome.error;
}

/** The signal's own reason, or what the contract calls it. */
async function expectFailureOfCall(promise: Promise<unknown>, { signal }: TimedCall): Promise<void> {
  const expected = promise.then(
    (value) => value,
    (error: unknown) => {
      if (error === signal.reason) return "reason";
      throw error;
    },
  );
  if ((await expected.catch(() => undefined)) === "reason") return;
  await expectFailure(expected, ["aborted", "timeout"]);
}
