import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import type { Logger, Provider } from "@peerpods/cloud-providers";
import { Control } from "../gen/peerpods/control/v1/control_pb.ts";
import { followSandboxes } from "../sandbox/changes.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { FailedStarts, RelayControl, RelaySandbox } from "../sandbox/ports.ts";
import { guestLogs } from "./guest-logs.ts";
import { CONTROL_PROTOCOL } from "./protocol.ts";
import { sandboxMessage } from "./sandbox-message.ts";

const VERIFY_TIMEOUT_MS = 60_000;

/** One of the daemon's options as it was understood; a secret's value is asterisks. */
export interface DescribedOption {
  readonly flag: string;
  /** As the flag takes it. */
  readonly value: string;
  readonly source: "flag" | "env" | "default";
  readonly ofProvider: boolean;
}

/** What the control socket tells of the daemon. */
export interface ControlSource {
  readonly lifecycle: Pick<Lifecycle, "list" | "waitUntil">;
  readonly relay: Pick<RelayControl, "hello" | "list">;
  readonly cloud: Provider;
  readonly failedStarts: Pick<FailedStarts, "list">;
  readonly options: readonly DescribedOption[];
  /** The latest log lines, oldest first. */
  readonly recentLog: () => readonly string[];
  readonly version: string;
  readonly provider: string;
  readonly hypervisorSocket: string;
  /** Negative: no limit. */
  readonly sandboxLimit: number;
  readonly startedAtMs: number;
  readonly logger: Logger;
}

/** The daemon's control service: reads only, and never fails because the relay is away. */
export function controlRoutes(source: ControlSource): (router: ConnectRouter) => void {
  return (router) => router.service(Control, controlService(source));
}

function controlService(source: ControlSource): ServiceImpl<typeof Control> {
  const { lifecycle, relay, cloud, failedStarts, logger } = source;
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
      const isWanted = (id: string) => sandboxId === "" || id === sandboxId;
      for await (const change of followSandboxes(lifecycle, { signal, isWanted })) {
        yield change.type === "changed"
          ? { event: { case: "changed", value: sandboxMessage(change.status, undefined) } }
          : { event: { case: "gone", value: change.sandboxId } };
      }
    },
    guestLogs: (request, { signal }) =>
      guestLogs(request, { list: () => lifecycle.list(), provider: cloud, failedStarts, logger }, { signal }),
    options: () => ({ options: [...source.options] }),
    recentLog: () => ({ lines: [...source.recentLog()] }),
    async verifyProvider(_, { signal }) {
      const findings = await cloud.configVerifier({
        signal: AbortSignal.any([signal, AbortSignal.timeout(VERIFY_TIMEOUT_MS)]),
        deadline: Date.now() + VERIFY_TIMEOUT_MS,
        logger,
      });
      return { findings: [...findings] };
    },
  };
}

async function carriedById(
  relay: Pick<RelayControl, "list">,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RelaySandbox>> {
  const carried = await relay.list({ signal }).catch((): readonly RelaySandbox[] => []);
  return new Map(carried.map((sandbox) => [sandbox.sandboxId, sandbox]));
}
