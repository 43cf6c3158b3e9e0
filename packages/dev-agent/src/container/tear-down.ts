import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { OomCounter } from "../cgroup/oom.ts";
import { unmount } from "../host/mounts.ts";
import type { RuntimeChild } from "../process/runtime-child.ts";
import type { ContainerContext } from "./context.ts";
import type { ContainerFiles } from "./files.ts";
import type { StartGate } from "./start-gate.ts";

const LIMIT_MS = 10_000;
/** Time that the runtime has to undo a container by itself. */
const PATIENCE_MS = 5_000;

/** What there is of a container, however far it got. */
export interface ContainerRemains {
  readonly files: ContainerFiles;
  readonly counter: OomCounter | undefined;
  readonly gate?: StartGate;
  readonly child?: RuntimeChild;
}

/** Takes a container away whose processes have ended, or that has not been started. Can be repeated. */
export async function tearDown(remains: ContainerRemains, context: ContainerContext): Promise<void> {
  const { files, counter, gate, child } = remains;
  const signal = AbortSignal.timeout(LIMIT_MS);
  await gate?.answer("stop");
  if (child !== undefined) await endOfRuntime(child, () => unpin(counter, context, signal));
  await unpin(counter, context, signal);
  await gate?.[Symbol.asyncDispose]();
  await context.runtime.remove(files.id, signal);
  await rm(files.directory, { recursive: true, force: true });
}

/** Lets the runtime remove the memory cgroup. Nothing pinned is fine. */
export async function unpin(
  counter: OomCounter | undefined,
  { host }: ContainerContext,
  signal: AbortSignal,
): Promise<void> {
  if (counter !== undefined) await unmount(counter.directory, host, signal);
}

/** Its hook may pin the cgroup at any moment until it has seen the answer, hence the repetition. */
async function endOfRuntime(child: RuntimeChild, release: () => Promise<void>): Promise<void> {
  const exited = child.exited.then(() => true);
  for (const giveUp = performance.now() + PATIENCE_MS; performance.now() < giveUp;) {
    await release();
    if (await Promise.race([exited, delay(50, false)])) return;
  }
  child.kill();
}
