import type { RequestDecision, RequestSummary } from "@peerpods/ttrpc/relay";
import type { ContainerContext } from "./create-container.ts";

const forward: RequestDecision = { action: "forward" };

/**
 * What becomes of each call to the agent. Three are changed or accompanied, everything else passes as bytes.
 *
 * `DestroySandbox` counts as done when the agent ends without answering it: ending is what it asks for.
 */
export function decideOn({ service, method }: RequestSummary, context: ContainerContext): RequestDecision {
  if (service !== "grpc.AgentService") return forward;
  switch (method) {
    case "CreateContainer":
      return {
        action: "edit",
        edit: async ({ payload }, call) =>
          (await loadCreateContainer()).prepareContainer(payload, context, call),
      };
    case "CreateSandbox":
      return { action: "edit", edit: async ({ payload }) => (await loadCreateSandbox()).withoutDns(payload) };
    case "DestroySandbox":
      return {
        action: "edit",
        ifLost: { payload: new Uint8Array() },
        edit: async ({ payload }) => {
          await context.volumes.detachAll();
          return payload;
        },
      };
    default:
      return forward;
  }
}

/** Loads what the first changed call needs. To be called when the forwarder is ready, since it takes a while. */
export async function preloadEdits(): Promise<void> {
  await Promise.all([loadCreateContainer(), loadCreateSandbox()]);
}

// The agent's message descriptors are a good part of the start-up time, and a pod waits for the forwarder.
const loadCreateContainer = () => import("./create-container.ts");
const loadCreateSandbox = () => import("./create-sandbox.ts");
