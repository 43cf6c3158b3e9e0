import type { SandboxRecord, SandboxTimes } from "../../sandbox/record.ts";

/** Steps in the life of a sandbox: each from one stamp of its record to another. */
const steps: readonly {
  readonly step: string;
  readonly from: keyof SandboxTimes;
  readonly to: keyof SandboxTimes;
}[] = [
  { step: "waiting", from: "createdMs", to: "startingMs" },
  { step: "instance", from: "startingMs", to: "instanceMs" },
  { step: "tunnel", from: "instanceMs", to: "tunnelMs" },
  { step: "connect", from: "instanceMs", to: "connectedMs" },
  { step: "start", from: "startingMs", to: "runningMs" },
];

/** Names that the label `step` can have. */
export const stepNames: readonly string[] = [...steps.map(({ step }) => step), "run", "removal"];

/** A step that has just ended. */
export interface EndedStep {
  readonly step: string;
  readonly seconds: number;
}

/** The steps that have ended between two records of a sandbox. */
export function endedSteps(now: SandboxRecord, before: SandboxRecord | undefined): readonly EndedStep[] {
  const { times } = now;
  const ended = [...steps, { step: "run", from: "runningMs", to: "endingMs" } as const];
  return ended.flatMap(({ step, from, to }) => {
    const [fromMs, toMs] = [times[from], times[to]];
    if (fromMs === undefined || toMs === undefined || before?.times[to] !== undefined) return [];
    return [{ step, seconds: Math.max(0, toMs - fromMs) / 1000 }];
  });
}
