import { statfs } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import { VolumeUsage_Unit, type VolumeStatsResponseSchema } from "@peerpods/kata-protocols/csi";
import { memoryBlockBytes, type Agent } from "../agent.ts";
import { invalidArgument, notFound } from "../errors.ts";
import { copyFile } from "../files/copy-file.ts";
import { storageDrivers } from "../storage/attach.ts";
import { agentVersion } from "../version.ts";
import { deadlineOf } from "./handler.ts";

type Calls = Pick<
  ServiceImpl<typeof AgentService>,
  | "createSandbox"
  | "destroySandbox"
  | "getGuestDetails"
  | "getOOMEvent"
  | "copyFile"
  | "removeStaleVirtiofsShareMounts"
  | "setPolicy"
  | "getVolumeStats"
>;

/** Calls about the sandbox and the VM. */
export function sandboxCalls(
  agent: Agent,
  directories: { readonly shared: string; readonly kata: string },
): Calls {
  return {
    async createSandbox(request, context) {
      await agent.createSandbox(request, deadlineOf(context));
      return {};
    },
    async destroySandbox() {
      await agent.destroySandbox();
      return {};
    },
    async getGuestDetails(request) {
      return {
        memBlockSizeBytes: request.memBlockSize ? await memoryBlockBytes() : 0n,
        agentDetails: { version: agentVersion, storageHandlers: [...storageDrivers] },
      };
    },
    async getOOMEvent(_request, context) {
      return { containerId: await agent.oomEvents.next(context.signal) };
    },
    async copyFile(request) {
      await copyFile(request, directories.shared);
      return {};
    },
    // Nothing is shared with the worker, so nothing of it can be stale.
    removeStaleVirtiofsShareMounts: async () => ({}),
    async setPolicy() {
      throw notFound("/grpc.AgentService/SetPolicy is not supported");
    },
    async getVolumeStats({ volumeGuestPath }) {
      if (!volumeGuestPath.startsWith(`${directories.kata}/`))
        throw invalidArgument(`volume path ${JSON.stringify(volumeGuestPath)} is not in ${directories.kata}`);
      return volumeStats(volumeGuestPath);
    },
  };
}

async function volumeStats(path: string): Promise<MessageInitShape<typeof VolumeStatsResponseSchema>> {
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(path, { bigint: true });
  return {
    usage: [
      {
        unit: VolumeUsage_Unit.BYTES,
        total: blocks * bsize,
        available: bavail * bsize,
        used: (blocks - bfree) * bsize,
      },
      { unit: VolumeUsage_Unit.INODES, total: files, available: ffree, used: files - ffree },
    ],
    volumeCondition: { abnormal: false, message: "" },
  };
}
