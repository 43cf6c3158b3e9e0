import { instanceTags, instanceToken, isPlacementAware, isProviderError } from "@peerpods/cloud-providers";
import type { CallContext, Instance, Placement, ProviderErrorCode, Tags } from "@peerpods/cloud-providers";
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
 * with `no_capacity`. Each attempt has a token of its own, which is journaled before the cloud is asked.
 */
export async function createInstance(
  sandbox: Sandbox,
  context: LifecycleContext,
  { userData, ...call }: StartCall & { readonly userData: string },
): Promise<AttemptResult> {
  const logger = context.logger;
  const callContext: CallContext = { ...call, logger };
  const tried: string[] = [];
  let failure: unknown;
  let replaces: string | undefined;
  for (const placement of await placementsOf(sandbox.record, context, callContext)) {
    call.signal.throwIfAborted();
    const attempt = nextAttempt(sandbox.record, placement);
    await sandbox.apply((record) =>
      attemptIntended(record, {
        attempt,
        nowMs: context.clock.now(),
        ...(replaces === undefined ? {} : { replaces }),
      }),
    );
    try {
      const instance = await context.provider.createInstance(
        {
          token: attempt.token,
          name: sandbox.record.instanceName,
          sandboxId: sandbox.id,
          podName: sandbox.record.podName,
          podNamespace: sandbox.record.podNamespace,
          userData,
          spec: sandbox.record.spec,
          ...(placement === undefined ? {} : { placement }),
          tags: tagsOf(sandbox.record, attempt),
        },
        callContext,
      );
      return { token: attempt.token, instance };
    } catch (error) {
      failure = error;
      tried.push(placement === undefined ? "default" : [placement.instanceType, placement.zone].join("/"));
      replaces = leftNothing(error) ? attempt.token : undefined;
      if (!isProviderError(error) || error.code !== "no_capacity") break;
      logger.warn(
        { sandboxId: sandbox.id, attempt: attempt.number, placement, err: error },
        "no capacity for this placement; trying the next",
      );
    }
  }
  if (replaces !== undefined) {
    const token = replaces;
    await sandbox.apply((record) => attemptLeftNothing(record, token));
  }
  throw new SandboxError(
    "start_failed",
    `no instance for sandbox ${sandbox.id}${tried.length > 1 ? `, tried ${tried.join(", ")}` : ""}`,
    { cause: failure },
  );
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

async function placementsOf(
  record: SandboxRecord,
  { provider }: LifecycleContext,
  call: CallContext,
): Promise<readonly (Placement | undefined)[]> {
  if (!isPlacementAware(provider)) return [undefined];
  return await provider.placements(record.spec, call);
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
  return isProviderError(error) && refusals.includes(error.code) && (error.left?.length ?? 0) === 0;
}
