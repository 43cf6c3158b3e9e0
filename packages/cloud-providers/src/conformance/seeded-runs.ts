import type { CreateInstanceRequest } from "../contract.ts";
import { Bench } from "./bench.ts";
import { describe, ensure } from "./rule.ts";
import { startRun } from "./run.ts";
import { faultKinds, hasFacility, type ConformanceTarget, type FaultFacility } from "./target.ts";

/** A series of random lives of instances, the same for the same seed. */
export interface SeededRunsOptions {
  readonly runs: number;
  /** Default: 1. */
  readonly seed?: number;
  /** No further run is begun once it is aborted. */
  readonly signal?: AbortSignal;
}

/** How long a series is in `pnpm soak`. */
const FULL_COUNT = 500;

/**
 * How many lives a test runs: `share` of them, all 500 with `PEERPODS_SOAK=1`, and any other number with
 * `PEERPODS_SEEDED_RUNS`.
 * @throws RangeError when that is not a whole number from 1 on.
 */
export function seededRunCount(
  share: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const { PEERPODS_SEEDED_RUNS: wanted = "", PEERPODS_SOAK: soak } = env;
  if (wanted === "") return soak === "1" ? FULL_COUNT : share;
  const count = Number(wanted);
  if (Number.isInteger(count) && count > 0) return count;
  throw new RangeError(`PEERPODS_SEEDED_RUNS: ${JSON.stringify(wanted)} is not a whole number from 1 on`);
}

/** A run that left something, or whose deletion never succeeded. */
export interface SeededFailure {
  /** Counts from 0; with the seed it is all that is needed to see it again. */
  readonly run: number;
  readonly reason: string;
}

/**
 * Creates and deletes instances while calls of the cloud's API fail, hang and lose their answers at random, and looks
 * after each of them whether anything is left.
 * @throws TypeError when the target has no `faults` or no `census`.
 */
export async function runSeededFaults(
  target: ConformanceTarget,
  { runs, seed = 1, signal }: SeededRunsOptions,
): Promise<{ readonly done: number; readonly failures: readonly SeededFailure[] }> {
  const { faults } = target;
  if (faults === undefined || !hasFacility(target, "census"))
    throw new TypeError(`${target.name}: needs faults and census`);
  const drive = target.drive?.bind(target) ?? ((promise: Promise<void>) => promise);
  const shared = startRun();
  const failures: SeededFailure[] = [];
  let done = 0;
  for (; done < runs; done++) {
    if (signal?.aborted === true) break;
    const bench = new Bench(target, shared);
    const random = randomOf(seed * 1_000_003 + done);
    try {
      await drive(oneLife(bench, faults, random));
    } catch (error) {
      failures.push({ run: done, reason: error instanceof Error ? error.message : describe(error) });
    }
    await drive(bench[Symbol.asyncDispose]());
  }
  return { done, failures };
}

type Random = () => number;

async function oneLife(bench: Bench, faults: FaultFacility, random: Random): Promise<void> {
  const before = await bench.census();
  const request = bench.request({ spec: random() < 0.5 ? bench.fullSpec() : {} });
  for (let time = 0; time < 1 + upTo(random, 2); time++)
    await withTrouble(bench, { faults, random }, (call) => bench.create(request, call));
  if (random() < 0.5) await withTrouble(bench, { faults, random }, (call) => bench.remove(request, call));
  await removeAtLast(bench, request);
  await bench.ensureNothingNew(before, "after the deletion");
}

/** What the caller of a provider does: again, until it succeeds. Without faults the first time must do. */
async function removeAtLast(bench: Bench, request: CreateInstanceRequest): Promise<void> {
  const outcome = await bench.outcome(bench.remove(request));
  ensure(outcome.ok, `a deletion without faults failed with ${outcome.ok ? "" : describe(outcome.error)}`);
}

/** One call, with up to three faults before it and perhaps a deadline that comes early or an answer that never comes. */
async function withTrouble(
  bench: Bench,
  { faults, random }: { readonly faults: FaultFacility; readonly random: Random },
  act: (call: ReturnType<Bench["call"]>) => Promise<unknown>,
): Promise<void> {
  using trouble = new DisposableStack();
  for (let count = upTo(random, 3); count > 0; count--) {
    const kind = faultKinds[upTo(random, faultKinds.length - 1)] ?? "throttle";
    trouble.use(faults.inject({ kind, after: upTo(random, 12), times: 1 + upTo(random, 3) }));
  }
  if (random() < 0.3) trouble.use(faults.stall({ after: upTo(random, 12), acted: random() < 0.5 }));
  const call = bench.call(1 + upTo(random, 60_000));
  await bench.outcome(act(call));
}

/** A whole number from 0 to `max`. */
function upTo(random: Random, max: number): number {
  return Math.floor(random() * (max + 1));
}

/** mulberry32: small, and the same on every machine. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
