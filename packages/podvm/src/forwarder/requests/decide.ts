import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CreateSandboxRequestSchema } from "@peerpods/kata-protocols/agent";
import type { RequestDecision, RequestSummary } from "@peerpods/ttrpc/relay";
import { prepareContainer } from "./create-container.ts";
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
      return { action: "edit", edit: ({ payload }, call) => prepareContainer(payload, context, call) };
    case "CreateSandbox":
      return { action: "edit", edit: ({ payload }) => withoutDns(payload) };
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

/** The VM resolves names by its own resolv.conf, which the agent would replace. */
function withoutDns(payload: Uint8Array): Uint8Array {
  const request = fromBinary(CreateSandboxRequestSchema, payload);
  if (request.dns.length === 0) return payload;
  request.dns = [];
  return toBinary(CreateSandboxRequestSchema, request);
}
