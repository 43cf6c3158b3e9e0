import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { hasConsoleLogs } from "@peerpods/cloud-providers";
import type { Logger, Provider } from "@peerpods/cloud-providers";
import type { GuestLogsRequest, GuestLogsResponseSchema } from "../gen/peerpods/control/v1/control_pb.ts";
import type { SandboxStatus } from "../sandbox/lifecycle.ts";
import type { FailedStart, FailedStarts } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import { findPods } from "./find-pod.ts";

const DEFAULT_LOG_BYTES = 65_536;
/** Seven logs of this size fit into one message. */
const MAX_LOG_BYTES = 524_288;
const TIMEOUT_MS = 15_000;

/** Where guest logs come from. */
export interface GuestLogSource {
  readonly list: () => readonly SandboxStatus[];
  readonly provider: Provider;
  readonly failedStarts: Pick<FailedStarts, "list">;
  readonly logger: Logger;
}

type Answer = MessageInitShape<typeof GuestLogsResponseSchema>;

/**
 * The logs of one pod: of its sandbox when there is one, else of its latest failed start.
 * @throws ConnectError NOT_FOUND, FAILED_PRECONDITION (several pods are meant), UNIMPLEMENTED.
 */
export async function guestLogs(
  request: GuestLogsRequest,
  source: GuestLogSource,
  { signal }: { readonly signal: AbortSignal },
): Promise<Answer> {
  const present = findPods(
    source.list().map(({ record }) => record),
    request.pod,
  );
  requireOne(request.pod, present);
  const [record] = present;
  if (record !== undefined && record.phase !== "failed")
    return await ofSandbox(record, request, { source, signal });
  const [latest] = findPods(await source.failedStarts.list(), request.pod).toSorted(
    (a, b) => b.atMs - a.atMs,
  );
  if (latest !== undefined) return ofFailedStart(latest, bytesOf(request));
  if (record !== undefined) return await ofSandbox(record, request, { source, signal });
  throw new ConnectError(
    `no pod ${JSON.stringify(request.pod.slice(0, 128))}: neither a sandbox nor a failed start of that name or id is known`,
    Code.NotFound,
  );
}

async function ofSandbox(
  record: SandboxRecord,
  request: GuestLogsRequest,
  { source, signal }: { readonly source: GuestLogSource; readonly signal: AbortSignal },
): Promise<Answer> {
  const { provider, logger } = source;
  const described = { ...namesOf(record), phase: record.phase, error: record.reason ?? "" };
  const attempt = record.attempts.at(-1);
  if (attempt === undefined) return { ...described, logs: [] };
  if (!hasConsoleLogs(provider)) {
    throw new ConnectError("this provider cannot show what its instances write", Code.Unimplemented);
  }
  const logs = await provider.consoleLogs(
    {
      token: attempt.token,
      ...(attempt.instanceId === undefined ? {} : { instanceId: attempt.instanceId }),
      maxBytes: bytesOf(request),
    },
    {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      deadline: Date.now() + TIMEOUT_MS,
      logger,
    },
  );
  return { ...described, logs: [...logs] };
}

function ofFailedStart(start: FailedStart, maxBytes: number): Answer {
  return {
    ...namesOf(start),
    phase: "failed",
    error: start.reason,
    keptAtMs: start.atMs,
    logs: start.logs.map(({ name, text, truncated }) => ({
      name,
      text: text.slice(-maxBytes),
      truncated: truncated || text.length > maxBytes,
    })),
  };
}

function namesOf({ sandboxId, podName, podNamespace }: FailedStart | SandboxRecord) {
  return { sandboxId, podName, podNamespace };
}

function bytesOf({ maxBytes }: GuestLogsRequest): number {
  return maxBytes === 0 ? DEFAULT_LOG_BYTES : Math.min(maxBytes, MAX_LOG_BYTES);
}

function requireOne(wanted: string, found: readonly SandboxRecord[]): void {
  if (found.length < 2) return;
  const ids = found.map(
    ({ sandboxId, podName, podNamespace }) => `${podNamespace}/${podName} ${sandboxId.slice(0, 12)}`,
  );
  throw new ConnectError(
    `${JSON.stringify(wanted.slice(0, 128))} may mean ${found.length} pods: ${ids.join(", ")}`,
    Code.FailedPrecondition,
  );
}
