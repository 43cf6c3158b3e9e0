import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { searchPath } from "./run.ts";

/** Absolute path of a program, links resolved, or `undefined` when this machine does not have it. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of searchPath) {
    const path = `${directory}/${name}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return await realpath(path);
  }
  return undefined;
}
