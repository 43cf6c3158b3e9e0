import { ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";
import type { FaultFacility, InjectedFault, Injection } from "@peerpods/cloud-providers/conformance";
import type { Run, RunOptions } from "../host/run.ts";

/** A {@link Run} whose programs fail, hang or do their work and then fail, as the kit orders. */
export interface FaultyRun {
  readonly run: Run;
  readonly faults: FaultFacility;
}

/** Programs that act on the machine for one pod VM. Those that build the shared image are no part of a VM's life. */
const acting: readonly string[] = ["flock", "ip", "nft"];

/**
 * A machine neither throttles nor answers with codes, so the fault carries the code that the kit expects of its kind.
 * What is tried is that nothing of a half made VM stays, whichever program failed.
 */
const codes: Readonly<Record<InjectedFault, ProviderErrorCode>> = {
  throttle: "throttled",
  server_error: "unavailable",
  reset_before: "unavailable",
  reset_after: "unavailable",
};

type Kind = InjectedFault | "hang" | "hang_after";

interface Fault {
  readonly kind: Kind;
  /** Programs that it still lets pass, and those that it still hits. */
  skip: number;
  left: number;
  hits: number;
  readonly onHit: () => void;
}

export function createFaultyRun(real: Run): FaultyRun {
  const armed = new Set<Fault>();
  let calls = 0;
  const arm = (kind: Kind, after: number, times = 1): Injection => {
    const { promise: reached, resolve: onHit } = Promise.withResolvers<void>();
    const fault: Fault = { kind, skip: after, left: times, hits: 0, onHit };
    armed.add(fault);
    return {
      reached,
      get hits() {
        return fault.hits;
      },
      [Symbol.dispose]: () => void armed.delete(fault),
    };
  };
  const run: Run = async (file, args, options) => {
    if (!acting.includes(file)) return await real(file, args, options);
    calls += 1;
    const kind = hit(armed);
    if (kind === undefined) return await real(file, args, options);
    if (kind === "reset_after" || kind === "hang_after") await real(file, args, options);
    if (kind === "hang" || kind === "hang_after") return await silence(options);
    throw new ProviderError(codes[kind], `${file}: injected ${kind}`);
  };
  return {
    run,
    faults: {
      callCount: () => calls,
      inject: ({ kind, after, times }) => arm(kind, after, times),
      stall: ({ after, acted }) => arm(acted ? "hang_after" : "hang", after),
    },
  };
}

/** Every armed fault sees every program; the first one that is due hits it. */
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

/** As a program that never ends until it is killed. */
async function silence({ signal }: RunOptions): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  signal.throwIfAborted();
  return await promise;
}
