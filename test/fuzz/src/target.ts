import type { Buffer } from "node:buffer";

/** Something that crosses a trust boundary, as the fuzzer sees it. */
export interface FuzzTarget {
  /** Also the name of its corpus directory. */
  readonly name: string;
  /** Who sends it to whom, for people. */
  readonly boundary: string;
  /** Valid inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Words of the format. */
  readonly words?: readonly (string | Uint8Array)[];
  /** Longest input, in bytes. Default 4096. */
  readonly maxLength?: number;
  /** Makes what the inputs are fed to. */
  open(): Promise<OpenTarget> | OpenTarget;
}

/** A target that takes inputs, one at a time. */
export interface OpenTarget extends AsyncDisposable {
  /** Takes one input. Whatever it throws is a finding: refusals that are allowed are caught within. */
  take(input: Buffer): void | Promise<void>;
}

/** A target without anything to hold or release. */
export function stateless(take: OpenTarget["take"]): () => OpenTarget {
  return () => ({ take, [Symbol.asyncDispose]: async () => undefined });
}
