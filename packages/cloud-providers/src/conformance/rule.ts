import type { AbilityName } from "../abilities.ts";
import { isProviderError, type ProviderError, type ProviderErrorCode } from "../errors.ts";
import type { Bench } from "./bench.ts";
import type { Facility } from "./target.ts";

/** One requirement of the contract, and how to find out whether a provider keeps it. */
export interface Rule {
  /** Unchanging name, e.g. `token-repeat`. */
  readonly id: string;
  /** The requirement as a sentence. */
  readonly title: string;
  /** Where it is written. */
  readonly source: string;
  /** Abilities without which it does not apply. */
  readonly abilities?: readonly AbilityName[];
  /** Facilities of the target without which it cannot be tried. */
  readonly needs?: readonly Facility[];
  /** Resolves when the rule is kept. @throws RuleViolation when it is broken; anything else that it throws breaks it too. */
  run(bench: Bench): Promise<void>;
}

/** The provider does not keep the rule; the message says how. */
export class RuleViolation extends Error {
  override readonly name = "RuleViolation";
}

/** Ends the rule as broken unless `condition` holds. */
export function ensure(condition: boolean, violation: string): asserts condition {
  if (!condition) throw new RuleViolation(violation);
}

/** How a call of a provider ended. */
export type Outcome<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: unknown };

export function outcomeOf<Result>(promise: Promise<Result>): Promise<Outcome<Result>> {
  return promise.then(
    (result) => ({ ok: true, result }) as const,
    (error: unknown) => ({ ok: false, error }) as const,
  );
}

/** The call must fail with a ProviderError of one of these codes. */
export async function expectFailure(
  promise: Promise<unknown>,
  codes: readonly ProviderErrorCode[],
): Promise<ProviderError> {
  const outcome = await outcomeOf(promise);
  ensure(!outcome.ok, `the call succeeded, but must fail with ${codes.join(" or ")}`);
  const { error } = outcome;
  ensure(isProviderError(error), `the call failed with ${describe(error)}, which is no ProviderError`);
  ensure(
    codes.includes(error.code),
    `the call failed with ${describe(error)}, not with ${codes.join(" or ")}`,
  );
  return error;
}

/** A thrown value in one line. */
export function describe(error: unknown): string {
  if (isProviderError(error)) return `${error.code} (${error.message.split("\n")[0]})`;
  return error instanceof Error
    ? `${error.name} (${error.message.split("\n")[0]})`
    : (JSON.stringify(error) ?? "undefined");
}
