import type { Row } from "../report/row.ts";
import type { Cloud } from "../cloud/cloud.ts";
import type { Lines } from "../stand/lines.ts";
import type { Programs } from "../stand/programs.ts";

/** What sections share. Parts are made when the first section asks for them. */
export interface BenchContext {
  /** For this run only; removed at its end. Its path is short, since socket paths have a limit. */
  readonly directory: string;
  readonly programs: () => Promise<Programs>;
  /** Arguments of Node for the programs that are measured. */
  readonly nodeArgs: readonly string[];
  readonly lines: () => Promise<Lines>;
  readonly cloud: () => Promise<Cloud>;
  /** How often each thing is measured, in turn with what it is compared with. The median counts. */
  readonly rounds: number;
  /** Work of each measurement in relation to the default. */
  readonly scale: number;
  /** Tells what is going on. */
  readonly progress: (text: string) => void;
}

/** One table of the bench. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** Why it cannot be measured here and what would enable it; `undefined` when it can. */
  missing(): Promise<string | undefined>;
  measure(context: BenchContext): Promise<readonly Row[]>;
}
