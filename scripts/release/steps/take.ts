import type { Facts } from "../facts/facts.ts";
import { editManifest } from "./manifest.ts";
import type { Step } from "../plan/plan.ts";
import { updateLockfile } from "./lockfile.ts";
import { commitAll, push } from "./push.ts";
import type { Scratch } from "./scratch.ts";
import { writeReleaseFile } from "./release-file.ts";
import { writeChangeFile } from "./write-change-file.ts";

type Take = Extract<Step, { readonly kind: "take" }>;

/** Bumps a package to exactly the versions of siblings that are published now, with the lockfile, and says so in a change file. */
export async function take(scratch: Scratch, { package: one, taken }: Take, facts: Facts): Promise<void> {
  const what = taken.map(({ name, to }) => `${name} ${to}`).join(", ");
  await editManifest(one.dir, ({ dependencies = {} }) => {
    for (const { name, to, pinned } of taken) if (pinned) dependencies[name] = to;
  });
  await writeReleaseFile(one.dir);
  const id = `take-for-${one.shortName}`;
  const before = facts.changeFiles.find((file) => file.id === id);
  await writeChangeFile(scratch.dir, {
    id,
    releases: [{ name: one.name, type: "patch" }],
    // A pre-release keeps its change files: the next one replaces what it takes.
    summary: [`Take ${what}`, ...linesOfOthers(before?.summary, taken)].join("\n"),
  });
  await updateLockfile(scratch);
  await commitAll(scratch, `Take ${what} in ${one.name}`);
  await push(scratch);
}

function linesOfOthers(summary: string | undefined, taken: Take["taken"]): readonly string[] {
  const lines = (summary ?? "").split("\n").filter((line) => line !== "");
  return lines.filter((line) => !taken.some(({ name }) => line.includes(`${name} `)));
}
