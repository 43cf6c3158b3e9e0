import type { Beside, Row, Target } from "./row.ts";

/** One value of each program that was measured in the same turns. */
export type Compared<V> = Readonly<{ ours: V; comparator: V; [beside: string]: V }>;

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Judges a ratio to the comparator. */
  readonly judge?: ((ratio: number) => Target) | undefined;
  readonly note?: string;
}

/** The row of a figure: ours in relation to the comparator, and the others by their names beside it. */
export function compared({ name, unit, judge, note }: Figure, values: Compared<number>): Row {
  const { ours, comparator, ...others } = values;
  const ratio = ours / comparator;
  const beside = Object.entries(others).map(([other, value]): Beside => {
    const itsRatio = value / comparator;
    return {
      name: other,
      value,
      ratio: itsRatio,
      ...(judge === undefined ? {} : { met: judge(itsRatio).met }),
    };
  });
  return {
    name,
    unit,
    ours,
    comparator,
    ratio,
    ...(judge === undefined ? {} : { target: judge(ratio) }),
    ...(note === undefined ? {} : { note }),
    ...(beside.length === 0 ? {} : { beside }),
  };
}

/** The same of each: one figure out of what was measured. */
export function each<V, W>(values: Compared<V>, pick: (value: V) => W): Compared<W> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, pick(value)]),
  ) as Compared<W>;
}
