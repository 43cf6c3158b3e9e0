import { execa } from "execa";
import type { Place } from "../programs.ts";

/** A file as it was at a commit. */
export interface FileAt {
  readonly commit: string;
  /** From the root of the repository. */
  readonly path: string;
}

/** The texts of files at commits, in the same order, from one process; nothing for a file that was not there. */
export async function readFilesAt(
  { dir, signal }: Place,
  files: readonly FileAt[],
): Promise<readonly (string | undefined)[]> {
  if (files.length === 0) return [];
  const input = files.map(({ commit, path }) => `${commit}:${path}\n`).join("");
  const { stdout } = await execa("git", ["cat-file", "--batch"], {
    cwd: dir,
    cancelSignal: signal,
    input,
    encoding: "buffer",
    stripFinalNewline: false,
  });
  return readAnswers(Buffer.from(stdout), files.length);
}

/** `<object> <type> <size>`, a line break, the content, a line break; or `<name> missing`. */
function readAnswers(answers: Buffer, count: number): readonly (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  let at = 0;
  while (texts.length < count) {
    const end = answers.indexOf("\n", at);
    const head = answers.toString("utf8", at, end);
    at = end + 1;
    const size = /^[0-9a-f]+ [a-z]+ (\d+)$/.exec(head)?.[1];
    if (size === undefined) {
      texts.push(undefined);
      continue;
    }
    texts.push(answers.toString("utf8", at, at + Number(size)));
    at += Number(size) + 1;
  }
  return texts;
}

/** The versions that package.json files had at commits. */
export async function readVersionsAt(
  place: Place,
  packages: readonly FileAt[],
): Promise<readonly (string | undefined)[]> {
  const files = packages.map(({ commit, path }) => ({ commit, path: `${path}/package.json` }));
  return (await readFilesAt(place, files)).map((text) =>
    text === undefined ? undefined : (JSON.parse(text) as { readonly version: string }).version,
  );
}
