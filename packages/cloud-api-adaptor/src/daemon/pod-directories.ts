import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PodDirectories } from "../sandbox/ports.ts";
import { AGENT_SOCKET_NAME } from "../sandbox/sandbox-id.ts";

/** `<podsDir>/<sandbox id>/`, mode 0700, with `agent.ttrpc` in it. Ids are checked before they come here. */
export function createPodDirectories(podsDir: string): PodDirectories {
  const directoryOf = (sandboxId: string) => join(podsDir, sandboxId);
  return {
    agentSocketPath: (sandboxId) => join(directoryOf(sandboxId), AGENT_SOCKET_NAME),
    create: async (sandboxId) => {
      await mkdir(directoryOf(sandboxId), { recursive: true, mode: 0o700 });
    },
    remove: async (sandboxId) => {
      await rm(directoryOf(sandboxId), { recursive: true, force: true });
    },
  };
}
