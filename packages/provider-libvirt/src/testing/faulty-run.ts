import type { FaultFacility, InjectedFault, Injection } from "@peerpods/cloud-providers/conformance";
import type { Run, RunOptions, RunResult } from "../virsh/run.ts";

/** What virsh says of each kind of fault. */
const complaints: Readonly<Record<InjectedFault, string>> = {
  throttle: "error: Operation not supported: cannot acquire state change lock due to max_queued limit",
  server_error:
    "error: Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatch)",
  reset_before: "error: Cannot recv data: Connection reset by peer",
  reset_after: "error: End of file while reading data: Input/output error",
};

type Kind = InjectedFault | "stall" | "stall_after";

interface Fault {
  readonly kind: Kind;
  skip: number;
  left: number;
  hits: number;
  readonly onHit: () => void;
}

/** A {@link Run} with faults of virsh on demand; other programs are left alone. */
export interface FaultyRun {
  readonly run: Run;
  readonly faults: FaultFacility;
  /** Programs that run at this moment; one that is stalled counts as none. */
  readonly busy: () => number;
  /** Commands of virsh since the start, in their order, those that a fault has answered too. */
  readonly commands: readonly string[];
}

export function createFaultyRun(real: Run): FaultyRun {
  const armed = new Set<Fault>();
  const commands: string[] = [];
  let busy = 0;

  async function counted(...args: Parameters<Run>): Promise<RunResult> {
    busy += 1;
    try {
      return await real(...args);
    } finally {
      busy -= 1;
    }
  }

  const run: Run = async (program, args, options) => {
    if (program !== "virsh") return await counted(program, args, options);
    commands.push(commandOf(args));
    const kind = hit(armed);
    if (kind === undefined) return await counted(program, args, options);
    if (kind === "reset_after" || kind === "stall_after") await counted(program, args, options);
    if (kind === "stall" || kind === "stall_after") return await silence(options);
    return { ok: false, stdout: "", stderr: complaints[kind] };
  };

  function arm(kind: Kind, after: number, times: number): Injection {
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    const fault: Fault = { kind, skip: after, left: times, hits: 0, onHit: resolve };
    armed.add(fault);
    return {
      reached,
      get hits() {
        return fault.hits;
      },
      [Symbol.dispose]: () => void armed.delete(fault),
    };
  }

  return {
    run,
    busy: () => busy,
    commands,
    faults: {
      callCount: () => commands.length,
      inject: ({ kind, after, times = 1 }) => arm(kind, after, times),
      stall: ({ after, acted }) => arm(acted ? "stall_after" : "stall", after, 1),
    },
  };
}

/** The first word behind the options of virsh itself. */
function commandOf(args: readonly string[]): string {
  return args[args.indexOf("--connect") + 2] ?? "";
}

/** Every armed fault sees every call; the first one that is due hits it. */
function hit(armed: ReadonlySet<Fault>): Kind | undefined {
  let due: Fault | undefined;
  for (const fault of armed) {
    if (fault.skip > 0) fault.skip -= 1;
    else if (fault.left > 0) due ??= fault;
  }
  if (due === undefined) return undefined;
  due.left -= 1;
  due.hits += 1;
  due.onHit();
  return due.kind;
}

/** As a program that is killed at the abort. */
async function silence({ signal }: RunOptions): Promise<RunResult> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  return { ok: false, stdout: "", stderr: "", failure: { kind: "other", message: "killed" } };
}
