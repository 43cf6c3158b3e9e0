import type { CallOptions } from "@connectrpc/connect";

/** Deadlines that the shim gives its calls, in milliseconds; calls without one may block for the pod's life. */
export const deadlinesMs = {
  startVM: 600_000,
  check: 30_000,
  createSandbox: 300_000,
  createContainer: 60_000,
  agent: 60_000,
} as const;

/** containerd puts its namespace on the calls that it passes on; a few calls the shim makes by itself do not carry it. */
const metadata = { "containerd-namespace-ttrpc": "k8s.io" };

/** Options of a call as the shim makes it. `deadlineMs` undefined is no deadline; `signal` is for the caller's own end. */
export function asShim(deadlineMs?: number, signal?: AbortSignal): CallOptions {
  return {
    headers: metadata,
    ...(deadlineMs === undefined ? {} : { timeoutMs: deadlineMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** The same without metadata: StartVM, WriteStdin. */
export function asShimItself(deadlineMs: number, signal?: AbortSignal): CallOptions {
  return { timeoutMs: deadlineMs, ...(signal === undefined ? {} : { signal }) };
}
