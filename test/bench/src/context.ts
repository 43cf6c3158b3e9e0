import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCloud } from "./cloud/cloud.ts";
import type { BenchContext } from "./sections/section.ts";
import { startLines } from "./stand/lines.ts";
import { bundlePrograms } from "./stand/programs.ts";

export interface ContextOptions {
  readonly rounds: number;
  readonly scale: number;
  /** Directory for CPU profiles of the programs, written when they end. */
  readonly profile?: string | undefined;
  readonly progress: (text: string) => void;
}

/** The context of one run; disposing it ends and removes whatever sections have made. */
export async function createContext(options: ContextOptions): Promise<BenchContext & AsyncDisposable> {
  const { rounds, scale, profile, progress } = options;
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "ppb-"));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const programs = once(() => bundlePrograms(directory));
  const nodeArgs = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const lines = once(async () =>
    owned.use(await startLines(directory, { programs: await programs(), nodeArgs })),
  );
  const cloud = once(async () => owned.use(await startCloud(directory)));
  const owned = resources.move();
  return {
    directory,
    programs,
    nodeArgs,
    lines,
    cloud,
    rounds,
    scale,
    progress,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
