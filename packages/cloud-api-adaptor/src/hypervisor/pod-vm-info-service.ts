import { Code, ConnectError } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import type { PodVMInfo } from "@peerpods/kata-protocols/podvminfo";
import { explain } from "../sandbox/errors.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import { isEnding } from "../sandbox/transitions.ts";

/**
 * `podvminfo.PodVMInfo`: which cloud instance a pod has.
 *
 * With `Wait` it waits until the instance is known, and no longer than the caller: NOT_FOUND without `Wait`,
 * DEADLINE_EXCEEDED when the deadline passes first, CANCELED when the caller goes.
 */
export function podVMInfoService(lifecycle: Lifecycle): ServiceImpl<typeof PodVMInfo> {
  return {
    getInfo: async ({ PodName, PodNamespace, Wait }, { signal }) => {
      const find = () => findInstanceId(lifecycle, PodNamespace, PodName);
      const VMID = Wait ? await waitFor(find) : find();
      if (VMID !== undefined) return { VMID };
      throw new ConnectError(`VM ID for ${PodNamespace}:${PodName} was not found`, Code.NotFound);

      async function waitFor(find: () => string | undefined): Promise<string> {
        try {
          return await lifecycle.waitUntil(find, { signal });
        } catch (error) {
          throw new ConnectError(
            `getting VM ID for ${PodNamespace}:${PodName}: ${explain(error)}`,
            error instanceof ConnectError ? error.code : Code.Canceled,
          );
        }
      }
    },
  };
}

function findInstanceId(lifecycle: Lifecycle, podNamespace: string, podName: string): string | undefined {
  const records = lifecycle
    .list()
    .map(({ record }) => record)
    .filter((record) => record.podNamespace === podNamespace && record.podName === podName);
  // A pod that was made again has an older sandbox on its way out.
  const current = records.filter((record) => !isEnding(record)).at(-1) ?? records.at(-1);
  return current?.instance?.id;
}
