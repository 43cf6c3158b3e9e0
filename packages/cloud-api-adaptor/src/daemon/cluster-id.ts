import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger } from "@peerpods/cloud-providers";
import { isMissing, writeFileAtomic } from "../sandbox/journal/atomic-file.ts";
import type { WaitOptions } from "../sandbox/ports.ts";

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** How long the daemon's first start waits for the cluster to say who it is. */
const FIRST_ASK_MS = 3_000;
const ASK_TIMEOUT_MS = 10_000;
const RETRY_MS = [1_000, 60_000] as const;

/** What marks cloud resources as belonging to this cluster. */
export interface ClusterIdentity extends AsyncDisposable {
  /** As far as it is known now. A sandbox keeps the one that it was created with. */
  current(): string;
}

export interface ClusterIdentityOptions {
  /** Goes before everything; empty: none. */
  readonly setting: string;
  readonly stateDir: string;
  /** Asks the cluster who it is; absent: there is none. */
  readonly ask?: (options: WaitOptions) => Promise<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The setting, else what the cluster says, else an id made once; the latter two are kept in the state directory.
 *
 * The controller goes by what the cluster says, so that counts as soon as it is known, also from an earlier start. When the
 * API server is away at the very first start, new sandboxes get the made id until it answers. Each keeps what it has: a tag
 * must not change under a running VM, and this daemon deletes by the sandbox's own. Only if such a VM also loses its daemon
 * for good must a person delete it: the controller shows its PeerPod as stuck (`ForeignCluster`).
 * @throws Error when the setting, or what is stored, cannot be a tag.
 */
export async function openClusterIdentity({
  setting,
  stateDir,
  ask,
  clock,
  logger,
}: ClusterIdentityOptions): Promise<ClusterIdentity> {
  if (setting !== "") return fixed(checked(setting, "cluster-id"));
  const madeAt = join(stateDir, "cluster-id");
  if (ask === undefined) return fixed(await made(madeAt));

  const toldAt = join(stateDir, "kube-system-uid");
  const stored = await readId(toldAt);
  let current = stored;
  const learn = async (timeoutMs: number, signal: AbortSignal): Promise<void> => {
    const told = await ask({ signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    if (told === current) return;
    checked(told, "UID of kube-system");
    await writeFileAtomic(toldAt, `${told}\n`);
    const isOther = current !== undefined;
    current = told;
    if (isOther)
      logger.warn({ clusterId: told }, "new sandboxes are marked with another cluster id from now on");
  };

  const ending = new AbortController();
  const { signal } = ending;
  const isKnown =
    stored === undefined &&
    (await learn(FIRST_ASK_MS, signal).then(
      () => true,
      () => false,
    ));
  if (current === undefined) {
    current = await made(madeAt);
    logger.warn(
      { clusterId: current },
      "the cluster does not say who it is yet; VMs made until then bear a made-up cluster id",
    );
  }
  const learned = isKnown
    ? Promise.resolve()
    : untilLearned((signal) => learn(ASK_TIMEOUT_MS, signal), { clock, logger, signal });
  const id = { current: () => current ?? "" };
  return {
    ...id,
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await learned;
    },
  };
}

function fixed(id: string): ClusterIdentity {
  return { current: () => id, [Symbol.asyncDispose]: async () => undefined };
}

async function untilLearned(
  learn: (signal: AbortSignal) => Promise<void>,
  { clock, logger, signal }: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<void> {
  let pauseMs: number = RETRY_MS[0];
  while (!signal.aborted) {
    try {
      await learn(signal);
      return;
    } catch (err) {
      if (signal.aborted) return;
      logger.warn({ err, retryInMs: pauseMs }, "the cluster's id cannot be read; trying again");
    }
    await clock.sleep(pauseMs, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, RETRY_MS[1]);
  }
}

async function made(path: string): Promise<string> {
  const stored = await readId(path);
  if (stored !== undefined) return stored;
  const id = randomUUID();
  await writeFileAtomic(path, `${id}\n`);
  return id;
}

async function readId(path: string): Promise<string | undefined> {
  try {
    return checked((await readFile(path, "utf8")).trim(), path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function checked(id: string, source: string): string {
  if (pattern.test(id)) return id;
  throw new Error(
    `${source}: ${JSON.stringify(id.slice(0, 80))} cannot mark cloud resources; use up to 128 letters, digits, "." "_" "-"`,
  );
}
