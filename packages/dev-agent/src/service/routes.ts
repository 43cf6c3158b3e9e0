import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health, HealthCheckResponse_ServingStatus } from "@peerpods/kata-protocols/health";
import type { Agent } from "../agent.ts";
import type { Host } from "../host/host.ts";
import { setWindowSize } from "../process/window-size.ts";
import type { SandboxDirectories } from "../sandbox/directories.ts";
import { agentVersion, apiVersion } from "../version.ts";
import { containerCalls } from "./container-calls.ts";
import { answering, type Handler } from "./handler.ts";
import { processCalls } from "./process-calls.ts";
import { sandboxCalls } from "./sandbox-calls.ts";

/** The agent's two services. Methods that are not here are answered UNIMPLEMENTED. */
export function agentRoutes(
  agent: Agent,
  directories: SandboxDirectories,
  host: Host,
): (router: ConnectRouter) => void {
  const calls: Partial<ServiceImpl<typeof AgentService>> = {
    ...sandboxCalls(agent, directories),
    ...containerCalls(agent),
    ...processCalls(agent, (process, signal) => setWindowSize(process, host, signal)),
  };
  const wrapped = Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      answering(call as Handler<unknown, unknown>, host.logger),
    ]),
  ) as typeof calls;
  return (router) =>
    router.service(AgentService, wrapped).service(Health, {
      check: () => ({ status: HealthCheckResponse_ServingStatus.SERVING }),
      version: () => ({ grpcVersion: apiVersion, agentVersion }),
    });
}
