import type { IfLost } from "@peerpods/ttrpc/relay";
import { toBinary, create } from "@bufbuild/protobuf";
import {
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@peerpods/kata-protocols/health";

const SERVING: IfLost & object = {
  payload: toBinary(
    HealthCheckResponseSchema,
    create(HealthCheckResponseSchema, { status: ServingStatus.SERVING }),
  ),
};

const EMPTY: IfLost & object = { payload: new Uint8Array() };

/** What becomes of a call that was sent and not answered when the VM connection is lost, and why. */
interface Fate {
  readonly ifLost: IfLost;
  readonly why: string;
}

const blocks = (why: string): Fate => ({ ifLost: "reissue", why });
const reads = (why: string): Fate => ({ ifLost: "reissue", why });
const sets = (why: string): Fate => ({ ifLost: "reissue", why });

/**
 * Calls that need not fail when the VM connection is lost under them. Every other call fails: the agent may have
 * executed it, so a second one could start, signal or copy twice.
 *
 * The agent drops the handlers of a closed connection, so a blocked wait or read has consumed nothing. What can still
 * be lost is an answer on its way: an exit status (the second WaitProcess is answered NOT_FOUND) or up to 32 KiB of output.
 */
const FATES: Readonly<Record<string, Readonly<Record<string, Fate>>>> = {
  "grpc.Health": {
    Check: {
      ifLost: SERVING,
      why: "one failed check makes the shim kill the pod; the relay knows that it is getting the VM back",
    },
    Version: reads("constant"),
  },
  "grpc.AgentService": {
    WaitProcess: blocks("outstanding for a container's life; an error answer to it ends the pod"),
    ReadStdout: blocks("an error ends the stream for good"),
    ReadStderr: blocks("an error ends the stream for good"),
    GetOOMEvent: blocks("outstanding for the pod's life"),
    StatsContainer: reads("a snapshot of counters"),
    GetGuestDetails: reads("constant facts of the guest"),
    GetMetrics: reads("a snapshot of counters"),
    GetVolumeStats: reads("a snapshot of counters"),
    GetDiagnosticData: reads("reads a file"),
    GetIPTables: reads("reads the rules"),
    ListInterfaces: reads("reads the links"),
    ListRoutes: reads("reads the routes"),
    UpdateContainer: sets("states the limits as a whole"),
    TtyWinResize: sets("states the size as a whole"),
    RemoveStaleVirtiofsShareMounts: sets("removes what is stale; a second time finds nothing"),
    DestroySandbox: {
      ifLost: EMPTY,
      why: "the agent ends while it executes it, so a lost connection is what success looks like",
    },
  },
};

/** The same for looking up: every call passes here, and its names come from outside. */
const fates = new Map(
  Object.entries(FATES).map(([service, methods]) => [service, new Map(Object.entries(methods))]),
);

/** What the relay does with a call whose VM connection is lost before the answer. Unknown calls fail. */
export function ifLostOf(service: string, method: string): IfLost {
  return fateOf(service, method)?.ifLost ?? "fail";
}

/** The answer that the relay gives in the agent's place to a health check while it gets the VM back. */
export const healthyAnswer = SERVING;

/** Every call that survives a lost connection, with the reason: for documents and tests. */
export function survivingCalls(): readonly (Fate & { readonly service: string; readonly method: string })[] {
  return Object.entries(FATES).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, fate]) => ({ service, method, ...fate })),
  );
}

function fateOf(service: string, method: string): Fate | undefined {
  return fates.get(service)?.get(method);
}
