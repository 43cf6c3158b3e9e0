import { access, constants } from "node:fs/promises";
import { join } from "node:path";

/** A program and the arguments that come before one's own: `["/bin/busybox", "stty"]` where stty is an applet. */
export type Program = readonly [path: string, ...args: string[]];

/** The first of `names` in the search path, or undefined. */
export async function findProgram(names: readonly string[], searchPath: string): Promise<string | undefined> {
  for (const name of names)
    for (const directory of searchPath.split(":")) {
      const path = join(directory, name);
      if (directory !== "" && (await isExecutable(path))) return path;
    }
  return undefined;
}

/** A tool by its own name, else as an applet of busybox, which has those that are looked up this way. */
export async function findTool(name: string, searchPath: string): Promise<Program> {
  const own = await findProgram([name], searchPath);
  if (own !== undefined) return [own];
  const busybox = await findProgram(["busybox"], searchPath);
  if (busybox !== undefined) return [busybox, name];
  throw new Error(`cannot find ${name} nor busybox in ${searchPath}: install one of them`);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
