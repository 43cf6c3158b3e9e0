/** What the controller tells about its work, for metrics. */
export interface Observer {
  reconciled(outcome: "done" | "retry" | "stuck" | "error", seconds: number): void;
  providerCall(call: { readonly provider: string; readonly outcome: string; readonly seconds: number }): void;
  orphans(found: Readonly<Record<"waiting" | "deleted" | "failed", number>>): void;
}

export const silentObserver: Observer = {
  reconciled: () => undefined,
  providerCall: () => undefined,
  orphans: () => undefined,
};
