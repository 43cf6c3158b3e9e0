import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FuzzTarget, OpenTarget } from "../target.ts";
import type { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { runInput } from "./run-input.ts";
import type { Finding } from "./run-input.ts";

/** How a run goes. */
export interface FuzzOptions {
  /** The same seed, corpus and number of inputs give the same inputs (without coverage guidance). */
  readonly seed: number;
  /** Kept inputs of earlier runs; each is tried first. */
  readonly corpus: readonly Buffer[];
  /** Asked after each batch: whether to end. */
  readonly isOver: (inputs: number) => boolean;
  /** With it, inputs that reach something new join the corpus. Without it, mutations begin from the corpus only. */
  readonly coverage?: Coverage;
  /** Told of each input before it is tried, for whoever must know which one never came back. */
  readonly onInput?: (input: Buffer) => void;
}

/** What a run came to. It ends at the first finding. */
export interface FuzzResult {
  readonly inputs: number;
  /** Inputs that reached something new, in the order of their finding. */
  readonly reached: readonly Buffer[];
  readonly ranges: number;
  readonly finding?: Finding;
}

const batchSize = 64;

/** Feeds the corpus and then mutations of it to an opened target, until it is over or something is found. */
export async function fuzz(
  { seeds, words = [], maxLength = 4096 }: FuzzTarget,
  target: OpenTarget,
  options: FuzzOptions,
): Promise<FuzzResult> {
  const { seed, coverage, isOver, onInput = () => undefined } = options;
  const random = new Random(seed);
  const pool = [...seeds.map((bytes) => Buffer.from(bytes)), ...options.corpus];
  const material = { others: pool, words: words.map((word) => Buffer.from(word)), maxLength };
  const reached: Buffer[] = [];
  const known = new Set<string>();
  let inputs = 0;

  const tryAll = async (batch: readonly Buffer[]): Promise<Finding | undefined> => {
    for (const input of batch) {
      inputs++;
      onInput(input);
      const finding = await runInput(target, input);
      if (finding !== undefined) return finding;
    }
    // What is released a turn later, such as zlib's memory, would pile up otherwise.
    await nextTurn();
    return undefined;
  };

  /** Finds out which inputs of a batch reached something new, by halves. */
  const sift = async (batch: readonly Buffer[]): Promise<Finding | undefined> => {
    const finding = await tryAll(batch);
    if (finding !== undefined || coverage === undefined) return finding;
    const fresh = [...(await coverage.take())].filter((range) => !known.has(range));
    const [only] = batch;
    if (fresh.length === 0 || only === undefined) return undefined;
    if (batch.length === 1) {
      for (const range of fresh) known.add(range);
      reached.push(only);
      return undefined;
    }
    const half = batch.length >> 1;
    return (await sift(batch.slice(0, half))) ?? (await sift(batch.slice(half)));
  };

  const result = (finding: Finding | undefined): FuzzResult => ({
    inputs,
    reached,
    ranges: known.size,
    ...(finding === undefined ? {} : { finding }),
  });

  await coverage?.take();
  for (const input of [...pool]) {
    const finding = await sift([input]);
    if (finding !== undefined) return result(finding);
  }
  while (!isOver(inputs)) {
    const batch = Array.from({ length: batchSize }, () =>
      mutate(pool.length === 0 ? Buffer.alloc(0) : random.pick(pool), random, material),
    );
    const before = reached.length;
    const finding = await sift(batch);
    if (finding !== undefined) return result(finding);
    pool.push(...reached.slice(before));
  }
  return result(undefined);
}
