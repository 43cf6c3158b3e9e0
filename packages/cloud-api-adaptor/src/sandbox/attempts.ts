import {
  instanceTags,
  instanceToken,
  isPlacementAware,
  isProviderError,
  walkPlacements,
} from "@peerpods/cloud-providers";
import type {
  CallContext,
  CreateInstanceRequest,
  Instance,
  Placement,
  ProviderErrorCode,
  Tags,
} from "@peerpods/cloud-providers";
import type { LifecycleContext } from "./context.ts";
import { SandboxError } from "./errors.ts";
import type { Attempt, SandboxRecord } from "./record.ts";
import type { Sandbox } from "./sandbox.ts";
import { attemptIntended, attemptLeftNothing } from "./transitions.ts";

/** An instance, and the token that made it. */
export interface AttemptResult {
  readonly token: string;
  readonly instance: Instance;
}

/** How one StartVM call limits what is done for it. */
export interface StartCall {
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline?: number;
}

/**
 * Gets an instance for the sandbox: one attempt for each placement the provider names, in order, until one is not refused
 * with `no_capacity`. Each attempt has a token of its own, which is journaled, and told to the cluster where that listens,
 * before the cloud is asked.
 */
export async function createInstance(
  sandbox: Sandbox,
  { provider, cluster, clock, logger }: LifecycleContext,
  {
    userData,
    podUid,
    ...limits
  }: StartCall & { readonly userData: string; readonly podUid?: string | undefined },
): Promise<AttemptResult> {
  const call: CallContext = { ...limits, logger };
  /** Token of an attempt that left nothing. It is dropped with the next write instead of with one of its own. */
  let spent: string | undefined;

  const attemptAt = async (placement?: Placement): Promise<AttemptResult> => {
    const attempt = nextAttempt(sandbox.record, placement);
    const replaces = spent === undefined ? {} : { replaces: spent };
    const record = await sandbox.apply((record) =>
      attemptIntended(record, { attempt, nowMs: clock.now(), podUid, ...replaces }),
    );
    spent = undefined;
    await cluster?.intended(record, limits);
    try {
      const instance = await provider.createInstance(requestFor(record, attempt, userData), call);
      return { token: attempt.token, instance };
    } catch (error) {
      logger.warn(
        { sandboxId: sandbox.id, attempt: attempt.number, placement, err: error },
        "attempt failed",
      );
      if (leftNothing(error)) spent = attempt.token;
      throw error;
    }
  };

  try {
    if (!isPlacementAware(provider)) return await attemptAt();
    return await walkPlacements(await provider.placements(sandbox.record.spec, call), attemptAt, limits);
  } catch (error) {
    const token = spent;
    if (token !== undefined) await sandbox.applyAnyway((record) => attemptLeftNothing(record, token));
    throw new SandboxError("start_failed", `no instance for sandbox ${sandbox.id}`, { cause: error });
  }
}

function requestFor(record: SandboxRecord, attempt: Attempt, userData: string): CreateInstanceRequest {
  const { instanceName, sandboxId, podName, podNamespace, spec } = record;
  return {
    token: attempt.token,
    name: instanceName,
    sandboxId,
    podName,
    podNamespace,
    userData,
    spec,
    ...(attempt.placement === undefined ? {} : { placement: attempt.placement }),
    tags: tagsOf(record, attempt),
  };
}

/**
 * The tags of everything that an attempt makes. They are the same whenever they are computed, also by a daemon whose
 * settings have changed: removal must find what creation marked.
 */
export function tagsOf(record: SandboxRecord, attempt: Pick<Attempt, "number">): Tags {
  const { clusterId, nodeName, podNamespace, podName, sandboxId } = record;
  return instanceTags({ clusterId, nodeName, podNamespace, podName, sandboxId, attempt: attempt.number });
}

function nextAttempt(record: SandboxRecord, placement: Placement | undefined): Attempt {
  const number = record.lastAttempt + 1;
  return {
    number,
    token: instanceToken(record.sandboxId, number),
    ...(placement === undefined ? {} : { placement }),
  };
}

/**
 * Refusals that come before anything was made. For every other failure (a lost answer, a timeout, an abort) something may
 * exist although the provider did its best, so the attempt stays listed and is deleted by its token.
 */
const refusals: readonly ProviderErrorCode[] = [
  "invalid_request",
  "invalid_config",
  "unauthorized",
  "not_found",
  "no_capacity",
  "quota_exceeded",
];

function leftNothing(error: unknown): boolean {
  return isProviderError(error) && refusals.includes(error.code) && error.left.length === 0;
}
