import type { FaultFacility, InjectedFault } from "@peerpods/cloud-providers/conformance";
import type { DrivenClock } from "@peerpods/cloud-providers/testing";
import { FaultPlan } from "@peerpods/test-harness";
import type { Run, RunOptions, RunResult } from "../virsh/run.ts";

/** What virsh says of each kind of fault. */
const complaints: Readonly<Record<InjectedFault, string>> = {
  throttle: "error: Operation not supported: cannot acquire state change lock due to max_queued limit",
  server_error:
    "error: Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatch)",
  reset_before: "error: Cannot recv data: Connection reset by peer",
  reset_after: "error: End of file while reading data: Input/output error",
};

/** A {@link Run} with faults of virsh on demand, under which time stands still; other programs have no faults. */
export interface FaultyRun {
  readonly run: Run;
  readonly faults: FaultFacility;
  /** Commands of virsh since the start, in their order, those that a fault has answered too. */
  readonly commands: readonly string[];
}

export function createFaultyRun(real: Run, clock: DrivenClock): FaultyRun {
  const plan = new FaultPlan();
  const commands: string[] = [];
  const run: Run = async (program, args, options) => {
    const really = () => clock.hold(() => real(program, args, options));
    if (program !== "virsh") return await really();
    const command = commandOf(args);
    commands.push(command);
    const hit = plan.next(command);
    if (hit === undefined) return await really();
    const { kind } = hit;
    if (typeof kind === "object") throw new TypeError("virsh has no codes");
    if (kind === "reset_after" || kind === "hang_after") await really();
    hit.reach();
    if (kind === "hang" || kind === "hang_after") return await silence(options);
    return { ok: false, stdout: "", stderr: complaints[kind] };
  };
  return {
    run,
    commands,
    faults: {
      callCount: () => commands.length,
      inject: (fault) => plan.add(fault),
      stall: ({ after, acted }) => plan.add({ kind: acted ? "hang_after" : "hang", after }),
    },
  };
}

/** The first word behind the options of virsh itself. */
function commandOf(args: readonly string[]): string {
  return args[args.indexOf("--connect") + 2] ?? "";
}

/** As a program that is killed at the abort. */
async function silence({ signal }: RunOptions): Promise<RunResult> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  return { ok: false, stdout: "", stderr: "", failure: { kind: "other", message: "killed" } };
}
