import { ConnectError, Code } from "@connectrpc/connect";
import { isProviderError } from "@peerpods/cloud-providers";
import { SandboxError } from "../sandbox/errors.ts";
import type { RelaySandbox } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";

/** A call that has ended. Times in milliseconds since the epoch. */
export interface ObservedCall {
  /** Name of the method. */
  readonly name: string;
  /** `ok`, or the error's code. */
  readonly code: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Absent where a call is about none. */
  readonly sandboxId?: string;
}

/** A request to the Kubernetes API server that was answered or failed. */
export interface KubernetesRequest {
  readonly verb: string;
  readonly resource: string;
  /** The answer's status, or the error's code. */
  readonly outcome: string;
}

/** Those who measure. Told of what has happened; they neither throw nor wait, and nothing depends on them. */
export interface Observer {
  /** A call of the kata shim. */
  hypervisorCallBegan?(call: Pick<ObservedCall, "name" | "startMs" | "sandboxId">): void;
  hypervisorCall?(call: ObservedCall): void;
  /** A call of the provider. */
  providerCall?(call: ObservedCall): void;
  /** A sandbox has moved. `before` is absent for a new one. */
  sandboxChanged?(now: SandboxRecord, before: SandboxRecord | undefined): void;
  sandboxGone?(last: SandboxRecord, atMs: number): void;
  /** What the relay says of a sandbox's connections has changed. */
  relayChanged?(sandbox: RelaySandbox): void;
  /** A request to the Kubernetes API server. */
  kubernetesRequest?(request: KubernetesRequest): void;
}

/** One observer that tells several. */
export function combineObservers(observers: readonly Observer[]): Required<Observer> {
  const all =
    <K extends keyof Observer>(method: K) =>
    (...args: Parameters<Required<Observer>[K]>) => {
      for (const observer of observers)
        (observer[method] as ((...args: unknown[]) => void) | undefined)?.apply(observer, args);
    };
  return {
    hypervisorCallBegan: all("hypervisorCallBegan"),
    hypervisorCall: all("hypervisorCall"),
    providerCall: all("providerCall"),
    sandboxChanged: all("sandboxChanged"),
    sandboxGone: all("sandboxGone"),
    relayChanged: all("relayChanged"),
    kubernetesRequest: all("kubernetesRequest"),
  };
}

/** The word for how a call ended; `internal` for an error that nobody gave a code. */
export function codeOf(error: unknown): string {
  if (isProviderError(error) || error instanceof SandboxError) return error.code;
  if (error instanceof ConnectError) return Code[error.code].toLowerCase();
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return "aborted";
  return name === "TimeoutError" ? "timeout" : "internal";
}

/** Runs a call and tells how it ended. */
export async function observed<T>(
  call: Pick<ObservedCall, "name" | "sandboxId">,
  act: () => Promise<T>,
  { tell, now }: { readonly tell: (call: ObservedCall) => void; readonly now: () => number },
): Promise<T> {
  const startMs = now();
  try {
    const answer = await act();
    tell({ ...call, code: "ok", startMs, endMs: now() });
    return answer;
  } catch (error) {
    tell({ ...call, code: codeOf(error), startMs, endMs: now() });
    throw error;
  }
}
