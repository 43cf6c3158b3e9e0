import type { RequestDecision, RequestSummary } from "@peerpods/ttrpc/relay";
import { Code } from "@connectrpc/connect";
import { healthyAnswer, ifLostOf } from "./agent-calls.ts";
import { editCreateContainer } from "./create-container.ts";
import type { CreateContainerFacts } from "./create-container.ts";

/** The VM connection at the moment of a request, as far as decisions need it. */
export interface VmCondition {
  /** `lost` carries the reason, which callers are told. */
  readonly state: "connecting" | "connected" | "reconnecting" | "lost";
  readonly lostReason?: string | undefined;
}

/** Called for requests that the relay must notice. */
export interface RequestObserver {
  /** A health check goes to the agent, which answers at once if it is alive. */
  onCheckSent(): void;
  /** The agent is told to end; from now on a closed connection is expected. */
  onDestroySandbox(): void;
  /** A container is about to be started. */
  onStartContainer(): void;
}

/**
 * What the relay does with a request of the shim. While the VM is away, health checks are answered here (one failed
 * check makes the shim kill the pod) and other calls wait for it within their own deadlines. Once the VM is lost for good,
 * everything is refused, so that the shim takes the pod down.
 */
export function decideRequest(
  request: RequestSummary,
  vm: VmCondition,
  context: { readonly observer: RequestObserver; readonly facts: CreateContainerFacts },
): RequestDecision {
  const { service, method } = request;
  if (vm.state === "lost") return { action: "answer", answer: vmLostAnswer(vm.lostReason) };

  const isCheck = service === "grpc.Health" && method === "Check";
  if (isCheck && vm.state === "reconnecting") return { action: "answer", answer: healthyAnswer };
  if (isCheck) context.observer.onCheckSent();

  if (service === "grpc.AgentService") {
    if (method === "DestroySandbox") context.observer.onDestroySandbox();
    if (method === "StartContainer") context.observer.onStartContainer();
    if (method === "CreateContainer") {
      return {
        action: "edit",
        edit: ({ payload }, options) => editCreateContainer(payload, context.facts, options),
      };
    }
  }
  return { action: "forward", ifLost: ifLostOf(service, method) };
}

/** What every call is told once the VM is lost for good. */
export function vmLostAnswer(reason: string | undefined) {
  return {
    code: Code.Unavailable,
    message: `the connection to the pod VM is lost${reason === undefined ? "" : `: ${reason}`}`,
  } as const;
}

/** What a call is told that was under way when the VM connection broke and must not be repeated. */
export const interruptedAnswer = {
  code: Code.Unavailable,
  message: "the connection to the pod VM broke during this call; whether it was executed is unknown",
} as const;
