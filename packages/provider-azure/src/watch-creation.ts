import {
  isProviderError,
  type ProviderError,
  type CallContext,
  type Instance,
  type Logger,
} from "@peerpods/cloud-providers";
import type { ArmAnswer } from "./answer.ts";
import { untilDone } from "./long-running.ts";
import type { Parts } from "./parts.ts";

/** Watches machines after their creation has returned: whether Azure finds room for them shows only then. */
export interface CreationWatch extends Disposable {
  /** Watches one. @param onFailed hears why Azure could not make it after all. */
  begin(
    made: { readonly instance: Instance; readonly answer: ArmAnswer<unknown> | undefined },
    onFailed: (error: ProviderError) => void,
  ): void;
  /** Stops watching one that is to be deleted. */
  end(instanceId: string): void;
}

/** No machine takes longer; the guest's own report that it is ready comes within minutes, or never. */
const WATCH_MS = 900_000;

export function createCreationWatch(parts: Parts, logger: Logger): CreationWatch {
  const watched = new Map<string, AbortController>();
  const key = (id: string) => id.toLowerCase();

  async function follow(
    { instance, answer }: { readonly instance: Instance; readonly answer: ArmAnswer<unknown> },
    signal: AbortSignal,
  ): Promise<void> {
    const call: CallContext = { signal, logger, deadline: parts.clock.now() + WATCH_MS };
    const arm = await parts.connect(call);
    await untilDone({ ...parts, arm }, { what: `machine ${instance.name} is not ready`, answer }, call);
  }

  return {
    begin({ instance, answer }, onFailed) {
      if (answer?.operation === undefined || watched.has(key(instance.id))) return;
      const stop = new AbortController();
      watched.set(key(instance.id), stop);
      follow({ instance, answer }, stop.signal)
        .catch((error: unknown) => {
          if (stop.signal.aborted || !isProviderError(error)) return;
          logger.warn(
            { err: error, instanceId: instance.id },
            "Azure has not made a machine that it had accepted",
          );
          onFailed(error);
        })
        .finally(() => {
          if (watched.get(key(instance.id)) === stop) watched.delete(key(instance.id));
        });
    },
    end(instanceId) {
      watched.get(key(instanceId))?.abort();
      watched.delete(key(instanceId));
    },
    [Symbol.dispose]() {
      for (const stop of watched.values()) stop.abort();
      watched.clear();
    },
  };
}
