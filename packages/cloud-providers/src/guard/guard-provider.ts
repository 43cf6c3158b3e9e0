import { abilitiesOf, methodsOfAbility, supportsVolumes } from "../abilities.ts";
import { systemClock, type Clock } from "../clock.ts";
import {
  UNDO_TIMEOUT_MS,
  type CallContext,
  type CloudProvider,
  type Instance,
  type Provider,
  type ProviderContext,
} from "../contract.ts";
import { ProviderError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { checkInstance } from "./check-instance.ts";

/** How a {@link guardProvider} watches. */
export interface GuardOptions {
  /** The provider's name, for messages. */
  readonly name: string;
  readonly logger: Logger;
  /** Default: the machine's time. */
  readonly clock?: Clock;
  /** How long after the end of its call a method may still take. Default 5 s; a creation has its undo time besides. */
  readonly graceMs?: number;
}

/**
 * Stands between the core and a provider that anyone may have written, and holds it to the contract: what it throws
 * becomes a ProviderError, a call that it never answers ends soon after its deadline or abort, an answer that comes later is
 * logged and counts for nothing, and an instance without id or address is an error. Abilities are passed on as they are.
 */
export function guardProvider(provider: Provider, options: GuardOptions): Provider {
  const { graceMs = 5_000 } = options;
  const guarded: Record<string, unknown> = { teardown: guardTeardown(provider, options) };
  const wrap = (method: string, limits: Limits) => {
    guarded[method] = guardMethod({ provider, method }, limits, options);
  };
  wrap("createInstance", { graceMs: UNDO_TIMEOUT_MS + graceMs, check: checkInstance });
  for (const method of [
    "deleteInstance",
    "configVerifier",
    ...abilitiesOf(provider).flatMap(methodsOfAbility),
  ])
    wrap(method, { graceMs });
  if (supportsVolumes(provider)) guarded["maxVolumes"] = provider.maxVolumes;
  return guarded as unknown as Provider;
}

/**
 * Connects a provider and guards it.
 * @throws ProviderError whatever the provider throws.
 */
export async function connectProvider(
  manager: CloudProvider,
  context: ProviderContext,
  options: Pick<GuardOptions, "clock" | "graceMs"> = {},
): Promise<Provider> {
  try {
    const provider = await manager.newProvider(context);
    return guardProvider(provider, { ...options, name: manager.name, logger: context.logger });
  } catch (thrown) {
    throw ProviderError.from(thrown, `cannot connect provider ${manager.name}`);
  }
}

interface Limits {
  readonly graceMs: number;
  readonly check?: (answer: unknown) => Instance;
}

type Method = (...args: unknown[]) => unknown;

/** The call context is the last argument of every method. */
function guardMethod(
  { provider, method }: { readonly provider: Provider; readonly method: string },
  { graceMs, check }: Limits,
  { name, logger, clock = systemClock }: GuardOptions,
): Method {
  const original = (provider as unknown as Record<string, Method>)[method];
  const doing = `provider ${name}, ${method}`;
  return async (...args) => {
    const { signal } = args.at(-1) as CallContext;
    const over = new AbortController();
    try {
      signal.throwIfAborted();
      // The first answer counts, also of a promise that is none of ours and settles twice.
      const answer = Promise.resolve().then(() => original?.apply(provider, args));
      const answered = await Promise.race([
        answer,
        silence(signal, { clock, graceMs, over: over.signal }).then(() => {
          logLateAnswer(answer, logger, { provider: name, method });
          throw overdue(signal, `${doing} has not answered ${graceMs} ms after the end of the call`);
        }),
      ]);
      return check === undefined ? answered : check(answered);
    } catch (thrown) {
      throw ProviderError.from(thrown, doing);
    } finally {
      over.abort();
    }
  };
}

/** Resolves when the call is over and the grace is too; never when `over` comes first. */
async function silence(
  signal: AbortSignal,
  { clock, graceMs, over }: { readonly clock: Clock; readonly graceMs: number; readonly over: AbortSignal },
): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const { promise: never } = Promise.withResolvers<void>();
  const end = () => resolve();
  signal.addEventListener("abort", end, { once: true });
  over.addEventListener("abort", () => signal.removeEventListener("abort", end), { once: true });
  await ended;
  await clock.sleep(graceMs, { signal: over }).catch(() => never);
}

function overdue(signal: AbortSignal, message: string): ProviderError {
  const { code } = ProviderError.from(signal.reason);
  return new ProviderError(code === "timeout" ? "timeout" : "aborted", message, { cause: signal.reason });
}

function logLateAnswer(answer: Promise<unknown>, logger: Logger, fields: object): void {
  answer.then(
    (value) =>
      logger.warn(
        { ...fields, instanceId: (value as Partial<Instance> | null)?.id },
        "a provider answered too late",
      ),
    (err: unknown) => logger.warn({ ...fields, err }, "a provider failed after its call was over"),
  );
}

function guardTeardown(provider: Provider, { name }: GuardOptions): () => Promise<void> {
  return async () => {
    try {
      await provider.teardown();
    } catch (thrown) {
      throw ProviderError.from(thrown, `provider ${name}, teardown`);
    }
  };
}
