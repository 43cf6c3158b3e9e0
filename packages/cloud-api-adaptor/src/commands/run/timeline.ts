import type { Client } from "@connectrpc/connect";
import type { Control, Sandbox } from "../../gen/peerpods/control/v1/control_pb.ts";
import { table } from "../table.ts";

/** Time from the last stamp of the daemon that is still waited for, so that a slow cloud does not hold the tool. */
const SETTLE_MS = 5_000;

/** When what happened, as seen from here and as the daemon tells. */
export interface Timeline {
  mark(name: string): void;
  /** `listener` is told each new phase of the daemon. */
  onPhase(listener: (phase: string) => void): void;
  /** Waits until the daemon says that the sandbox is gone, at most five seconds. */
  settle(): Promise<void>;
  text(): string;
  json(): string;
}

interface Stamp {
  readonly name: string;
  readonly by: "daemon" | "pod";
  readonly atMs: number;
}

/** Follows one sandbox on the control socket until it is gone. A daemon that ends midway only makes it shorter. */
export function collectTimeline(control: Client<typeof Control>, sandboxId: string): Timeline {
  const startedMs = Date.now();
  const own: Stamp[] = [];
  let latest: Sandbox | undefined;
  const listeners: ((phase: string) => void)[] = [];
  const ending = new AbortController();
  const followed = (async () => {
    for await (const { event } of control.watchSandboxes({ sandboxId }, { signal: ending.signal })) {
      if (event.case === "gone") {
        own.push({ name: "gone", by: "daemon", atMs: Date.now() });
        return;
      }
      if (event.case !== "changed") continue;
      if (event.value.phase !== latest?.phase) for (const listener of listeners) listener(event.value.phase);
      latest = event.value;
    }
  })().catch(() => undefined);

  const stamps = (): readonly Stamp[] =>
    [
      ...own,
      ...(latest?.timeline ?? []).map(({ name, atMs }): Stamp => ({ name, by: "daemon", atMs })),
    ].toSorted((a, b) => a.atMs - b.atMs);
  return {
    mark: (name) => void own.push({ name, by: "pod", atMs: Date.now() }),
    onPhase: (listener) => void listeners.push(listener),
    async settle() {
      const timer = setTimeout(() => ending.abort(), SETTLE_MS);
      await followed;
      clearTimeout(timer);
    },
    text: () => {
      let previousMs = startedMs;
      const rows = stamps().map(({ name, by, atMs }) => {
        const step = atMs - previousMs;
        previousMs = atMs;
        return [`${Math.round(atMs - startedMs)} ms`, `+${Math.round(step)}`, by, name];
      });
      return `\n${table([["AT", "STEP", "BY", "WHAT"], ...rows])}`;
    },
    json: () =>
      `${JSON.stringify(stamps().map(({ name, by, atMs }) => ({ name, by, atMs: atMs - startedMs })))}\n`,
  };
}
