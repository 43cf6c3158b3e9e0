/** Brings the release file of each package up to date with its package.json. `pnpm release` does the same. */
import { readWorkspace } from "./facts/workspace.ts";
import { writeReleaseFile } from "./steps/release-file.ts";

for (const { dir } of await readWorkspace(process.cwd())) await writeReleaseFile(dir);
