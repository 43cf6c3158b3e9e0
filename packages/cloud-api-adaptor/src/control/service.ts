import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { Control } from "../gen/peerpods/control/v1/control_pb.ts";
import type { Lifecycle, SandboxStatus } from "../sandbox/lifecycle.ts";
import type { RelayControl, RelaySandbox } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import { sandboxMessage } from "./sandbox-message.ts";

/** Version of the control protocol; grows by one with each change that the other side can notice. */
export const CONTROL_PROTOCOL = 1;

/** What the control socket tells of the daemon. */
export interface ControlSource {
  readonly lifecycle: Pick<Lifecycle, "list" | "waitUntil">;
  readonly relay: Pick<RelayControl, "hello" | "list">;
  readonly version: string;
  readonly provider: string;
  readonly hypervisorSocket: string;
  /** Negative: no limit. */
  readonly sandboxLimit: number;
  readonly startedAtMs: number;
}

/** The daemon's control service: reads only, and never fails because the relay is away. */
export function controlRoutes(source: ControlSource): (router: ConnectRouter) => void {
  return (router) => router.service(Control, controlService(source));
}

function controlService(source: ControlSource): ServiceImpl<typeof Control> {
  const { lifecycle, relay } = source;
  return {
    async info(_, { signal }) {
      const hello = await relay.hello({ signal }).catch(() => undefined);
      return {
        protocol: CONTROL_PROTOCOL,
        version: source.version,
        provider: source.provider,
        startedAtMs: BigInt(source.startedAtMs),
        hypervisorSocket: source.hypervisorSocket,
        ...(source.sandboxLimit < 0 ? {} : { sandboxLimit: source.sandboxLimit }),
        pid: process.pid,
        ...(hello === undefined ? {} : { relay: { protocol: hello.protocol, version: hello.version } }),
      };
    },
    async listSandboxes(_, { signal }) {
      const carried = await carriedById(relay, signal);
      return {
        sandboxes: lifecycle
          .list()
          .map((status) => sandboxMessage(status, carried.get(status.record.sandboxId))),
      };
    },
    async *watchSandboxes({ sandboxId }, { signal }) {
      const seen = new Map<string, SandboxRecord>();
      for (;;) {
        const { changed, gone } = await lifecycle.waitUntil(
          () => changes(lifecycle.list(), { seen, sandboxId }),
          {
            signal,
          },
        );
        for (const status of changed) {
          seen.set(status.record.sandboxId, status.record);
          yield { event: { case: "changed", value: sandboxMessage(status, undefined) } };
        }
        for (const id of gone) {
          seen.delete(id);
          yield { event: { case: "gone", value: id } };
        }
      }
    },
  };
}

/** What differs from what the caller has seen; `undefined` when nothing does. A record is a value, so identity tells. */
function changes(
  now: readonly SandboxStatus[],
  { seen, sandboxId }: { seen: ReadonlyMap<string, SandboxRecord>; sandboxId: string },
): { changed: readonly SandboxStatus[]; gone: readonly string[] } | undefined {
  const wanted = now.filter(({ record }) => sandboxId === "" || record.sandboxId === sandboxId);
  const changed = wanted.filter(({ record }) => seen.get(record.sandboxId) !== record);
  const present = new Set(wanted.map(({ record }) => record.sandboxId));
  const gone = [...seen.keys()].filter((id) => !present.has(id));
  return changed.length + gone.length === 0 ? undefined : { changed, gone };
}

async function carriedById(
  relay: Pick<RelayControl, "list">,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RelaySandbox>> {
  const carried = await relay.list({ signal }).catch((): readonly RelaySandbox[] => []);
  return new Map(carried.map((sandbox) => [sandbox.sandboxId, sandbox]));
}
