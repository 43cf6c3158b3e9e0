import { contradictions } from "../consistent.ts";
import { gatherFacts } from "../facts/facts.ts";
import type { Place } from "../programs.ts";

/** What speaks against releasing from this checkout, in words; nothing when all is well. */
export async function checkRelease(
  root: Place,
  { registry }: { readonly registry: string; readonly remote: string },
): Promise<readonly string[]> {
  const facts = await gatherFacts(root, registry);
  return await contradictions(root, facts);
}
