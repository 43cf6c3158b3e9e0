import { setInterval as every } from "node:timers/promises";
import type { Client } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import type { Health } from "@peerpods/kata-protocols/health";
import type { TtrpcClientConnection } from "@peerpods/ttrpc";
import { asShim, deadlinesMs } from "./agent-calls.ts";

const CHECK_EVERY_MS = 5_000;

/** What the shim keeps going beside a running pod. */
export interface Supervision {
  /** Rejects with the cause when the agent is lost; never resolves. Quiet after `stop`. */
  readonly lost: Promise<never>;
  /** Resolves when the pause container has ended or its wait has failed. */
  readonly pauseEnded: Promise<void>;
  stop(): void;
}

/**
 * From the pause container's start on: one OOM wait and one wait for the pause container always outstanding, and a check
 * every five seconds. One failure of any of them means that the agent is lost; there is no second try.
 */
export function superviseAgent({
  agent,
  health,
  connection,
  sandboxId,
}: {
  readonly agent: Client<typeof AgentService>;
  readonly health: Client<typeof Health>;
  readonly connection: TtrpcClientConnection;
  readonly sandboxId: string;
}): Supervision {
  const ending = new AbortController();
  const { signal } = ending;
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const lose = (message: string, cause?: unknown): void => {
    if (!signal.aborted) lost.reject(new Error(message, { cause }));
  };

  void (async () => {
    while (!signal.aborted) await agent.getOOMEvent({}, asShim());
  })().catch(() => undefined);
  const pauseEnded = agent
    .waitProcess({ containerId: sandboxId, execId: sandboxId }, asShim())
    .then(() => lose("the pause container of the pod has ended"))
    .catch((error: unknown) => lose("the agent no longer answers for the pause container", error));
  void (async () => {
    for await (const _ of every(CHECK_EVERY_MS, undefined, { signal, ref: false }))
      await health.check({}, asShim(deadlinesMs.check));
  })().catch((error: unknown) => lose("the agent failed its health check", error));
  void connection.closed.then((error) => lose("the agent connection was closed", error));

  return { lost: lost.promise, pauseEnded, stop: () => ending.abort() };
}
