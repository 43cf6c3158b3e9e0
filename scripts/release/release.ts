import { checkConsistent } from "./check/contradictions.ts";
import { gatherFacts, type Facts } from "./facts/facts.ts";
import { tagName } from "./facts/tags.ts";
import { checkCheckout } from "./preflight.ts";
import { lineOf, type ReleaseLine } from "./plan/line.ts";
import { planRelease, type Step } from "./plan/plan.ts";
import { git, succeeds, type Place } from "./programs.ts";
import { publish } from "./steps/publish.ts";
import { openScratch, type Scratch } from "./steps/scratch.ts";
import { tag } from "./steps/tag.ts";
import { take } from "./steps/take.ts";

export interface ReleaseRequest {
  /** The checkout of the maintainer. */
  readonly root: Place;
  readonly remote: string;
  readonly branch: string;
  readonly registry: string;
  readonly preId: string | undefined;
  /** Told before each step. */
  readonly tell: (line: string) => void;
}

/**
 * Releases what is due, one step after the other, and looks anew at tags and registry after each: where a release
 * stopped, the next one goes on. In the checkout of the maintainer only the branch moves, at the end.
 * @throws ReleaseError
 */
export async function release({
  root,
  remote,
  branch,
  registry,
  preId,
  tell,
}: ReleaseRequest): Promise<void> {
  const line = lineOf(branch, preId);
  await checkCheckout(root, { remote, branch });
  await using scratch = await openScratch(root, { remote, branch });
  for (;;) {
    await scratch.toBranch();
    const facts = await gatherFacts(scratch, registry);
    await checkConsistent(scratch, facts);
    const [step] = planRelease(facts, line);
    if (step === undefined) break;
    tell(describeStep(step));
    await carryOut(scratch, step, { facts, line, registry });
  }
  await followRemote(root, { remote, branch });
  tell("everything is released");
}

async function carryOut(
  scratch: Scratch,
  step: Step,
  { facts, line, registry }: { readonly facts: Facts; readonly line: ReleaseLine; readonly registry: string },
): Promise<void> {
  switch (step.kind) {
    case "take":
      return await take(scratch, step, facts);
    case "tag":
      return await tag(scratch, step, { facts, line });
    case "publish":
      return await publish(scratch, step, { registry, distTag: line.distTag });
    default:
      return step satisfies never;
  }
}

export function describeStep(step: Step): string {
  const { name, shortName } = step.package;
  switch (step.kind) {
    case "take":
      return `take ${step.taken.map(({ name: sibling, to }) => `${sibling} ${to}`).join(", ")} in ${name}`;
    case "tag":
      return `tag ${tagName(shortName, step.version)}`;
    case "publish":
      return `publish ${name} ${step.version}`;
    default:
      return step satisfies never;
  }
}

/** Moves the maintainer's branch on to what was released, if nothing is in the way. */
async function followRemote(
  root: Place,
  { remote, branch }: { readonly remote: string; readonly branch: string },
): Promise<void> {
  await git(root, "fetch", "--quiet", "--tags", remote, branch);
  await succeeds(root, "git", ["merge", "--quiet", "--ff-only", "FETCH_HEAD"]);
}
