import type { IncomingMessage } from "node:http";
import type { FaultKind, FaultPlan } from "./fault-plan.ts";

/** A request to a stand-in of a cloud. */
export interface FaultyExchange {
  readonly request: IncomingMessage;
  /** The cloud's name of the call. */
  readonly action: string;
  /** What the cloud does when it acts. */
  readonly act: () => unknown;
}

/** What is still to be answered: nothing, or the call itself unless it is to be refused. */
export type Due = { readonly answer: false } | { readonly answer: true; readonly refusal?: FaultKind };

/** Lets the next fault of the plan hit a call, if one does. */
export async function playFault(plan: FaultPlan, { request, action, act }: FaultyExchange): Promise<Due> {
  const hit = plan.next(action);
  if (hit === undefined) return { answer: true };
  switch (hit.kind) {
    case "reset_before":
      hit.reach();
      request.socket.resetAndDestroy();
      return { answer: false };
    case "hang":
      hit.reach();
      return { answer: false };
    case "reset_after":
    case "hang_after":
      await act();
      hit.reach();
      if (hit.kind === "reset_after") request.socket.resetAndDestroy();
      return { answer: false };
    default:
      hit.reach();
      return { answer: true, refusal: hit.kind };
  }
}
