/** One measured thing, ours beside the comparator. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** The same measured on the comparator, in the same run. */
  readonly comparator?: number;
  /** What is compared with a target, when that is not `ours`: the ratio, or a sum. */
  readonly ratio?: number;
  readonly target?: Target;
  readonly note?: string;
  /** Other programs in the same run: what they reach tells what `ours` could. */
  readonly beside?: readonly Beside[];
}

/** The value of another program, in relation to the comparator. */
export interface Beside {
  readonly name: string;
  readonly value: number;
  readonly ratio: number;
  /** Whether it would meet the target of its row. */
  readonly met?: boolean;
}

export interface Target {
  readonly text: string;
  readonly met: boolean;
}

/** A target that is an upper limit. */
export function atMost(value: number, limit: number, text = `at most ${limit}`): Target {
  return { text, met: value <= limit };
}

/** A target that is a lower limit. */
export function atLeast(value: number, limit: number, text = `at least ${limit}`): Target {
  return { text, met: value >= limit };
}

/** What a section gives: its table, or the reason why it could not be measured here. */
export type SectionResult =
  | { readonly name: string; readonly title: string; readonly rows: readonly Row[] }
  | { readonly name: string; readonly title: string; readonly skipped: string };
