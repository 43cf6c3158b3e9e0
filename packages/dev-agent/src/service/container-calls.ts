import type { ServiceImpl } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import type { Agent } from "../agent.ts";
import { readTerminationLog } from "../container/termination-log.ts";
import { internal } from "../errors.ts";
import { deadlineOf } from "./handler.ts";

type Calls = Pick<
  ServiceImpl<typeof AgentService>,
  | "createContainer"
  | "startContainer"
  | "removeContainer"
  | "updateContainer"
  | "statsContainer"
  | "pauseContainer"
  | "resumeContainer"
  | "getDiagnosticData"
>;

/** The real agent answers INTERNAL where it changes a container, INVALID_ARGUMENT where it looks one up. */
const missing = (id: string) => internal(`container "${id}" does not exist`);

/** Calls about whole containers. */
export function containerCalls(agent: Agent): Calls {
  return {
    async createContainer(request, context) {
      // Given up when the caller is gone: it would not know of the container.
      const sandbox = await agent.sandbox();
      await sandbox.createContainer(request, context.signal);
      return {};
    },
    async startContainer({ containerId }, context) {
      const container = await agent.container(containerId, missing);
      await container.start(deadlineOf(context));
      return {};
    },
    async removeContainer({ containerId }) {
      const container = await agent.container(containerId, missing);
      const sandbox = await agent.sandbox();
      await sandbox.removeContainer(container);
      return {};
    },
    async updateContainer({ containerId, resources }, context) {
      const container = await agent.container(containerId);
      await container.update(resources, deadlineOf(context));
      return {};
    },
    async statsContainer({ containerId }) {
      const container = await agent.container(containerId);
      return { cgroupStats: await container.stats() };
    },
    async pauseContainer({ containerId }, context) {
      const container = await agent.container(containerId);
      await container.pause(deadlineOf(context));
      return {};
    },
    async resumeContainer({ containerId }, context) {
      const container = await agent.container(containerId);
      await container.resume(deadlineOf(context));
      return {};
    },
    async getDiagnosticData({ logType, containerId }) {
      const container = await agent.container(containerId);
      return { data: await readTerminationLog(logType, container.spec) };
    },
  };
}
