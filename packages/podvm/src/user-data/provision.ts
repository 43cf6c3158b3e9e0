import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { guestPaths } from "@peerpods/podvm-contract";
import type { Logger } from "pino";
import { parseCloudConfig } from "./cloud-config.ts";
import type { CloudConfigFile } from "./cloud-config.ts";
import { UserDataError } from "./errors.ts";
import { planGuestFiles } from "./guest-files.ts";
import { readLimited } from "./sources/read-limited.ts";
import type { UserDataSource } from "./sources/source.ts";
import { writeGuestFiles } from "./write-files.ts";

/** What `provision-files` works with. */
export interface ProvisionContext {
  readonly sources: readonly UserDataSource[];
  /** Directory that stands for `/`. */
  readonly root: string;
  readonly logger: Logger;
  /** Wait between attempts of a source that does not answer, in milliseconds. Default 2000. */
  readonly retryDelayMs?: number;
}

/**
 * The whole job of `process-user-data provision-files`: takes the first source there is, checks everything it brings,
 * and only then writes. Without any source the guest gets the default initdata. A source that does not answer is asked
 * again until `signal` aborts; wrong contents are not. Can be repeated.
 * @throws UserDataError; nothing has been put in place then
 */
export async function provisionFiles(
  context: ProvisionContext,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const { root, logger } = context;
  const userData = await fetchUserData(context, call);
  const plan = planGuestFiles(userData, {
    initdata: await existingInitdata(root),
    hasAttestationAgentConfig: await exists(join(root, guestPaths.attestationAgentConfig)),
  });
  for (const path of plan.skippedPaths)
    logger.warn({ path }, "file of the user data is not allowed; left out");
  for (const name of plan.skippedInitdata)
    logger.warn({ name }, "file of the initdata is not allowed; left out");
  call.signal.throwIfAborted();
  await writeGuestFiles(plan.files, root);
  logger.info({ paths: [...plan.files.keys()], initdataDigest: plan.initdataDigest }, "files are in place");
}

async function fetchUserData(
  { sources, logger, retryDelayMs = 2000 }: ProvisionContext,
  call: { readonly signal: AbortSignal },
): Promise<readonly CloudConfigFile[]> {
  const source = await firstSource(sources, call);
  if (source === undefined) {
    logger.warn({ sources: sources.map(({ name }) => name) }, "no source of user data on this machine");
    return [];
  }
  logger.info({ source: source.name }, "reading user data");
  for (;;) {
    try {
      return parseCloudConfig(await source.read(call));
    } catch (error) {
      if (!(error instanceof UserDataError && error.retryable)) throw error;
      logger.warn({ source: source.name, err: error }, "user data cannot be read yet");
      await delay(retryDelayMs, undefined, { signal: call.signal }).catch(() => {
        throw new UserDataError("unavailable", `${error.message}; gave up at the time limit`, {
          cause: error,
        });
      });
    }
  }
}

async function firstSource(
  sources: readonly UserDataSource[],
  call: { readonly signal: AbortSignal },
): Promise<UserDataSource | undefined> {
  for (const source of sources) if (await source.detect(call)) return source;
  return undefined;
}

async function existingInitdata(root: string): Promise<string | undefined> {
  const path = join(root, guestPaths.initdata);
  if (!(await exists(path))) return undefined;
  return Buffer.from(await readLimited(path)).toString("utf8");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
