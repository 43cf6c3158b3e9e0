import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";

/** How a test lets the far side fail. */
export interface GuestScript {
  /** Output of the container, one answer each. */
  readonly output?: readonly string[];
  readonly exitCode?: number;
  /** Methods that fail, with this text. */
  readonly failing?: readonly string[];
}

/** A hypervisor that answers at once. */
export function hypervisorRoutes(agentSocketPath: string, script: GuestScript = {}) {
  const failIf = failerOf(script);
  return (router: ConnectRouter): void => {
    router.service(Hypervisor, {
      createVM: () => failIf("CreateVM") ?? { agentSocketPath },
      startVM: () => failIf("StartVM") ?? {},
      stopVM: () => failIf("StopVM") ?? {},
    });
  };
}

/** An agent with one container that prints, exits, and is reaped by the first wait, as the recorded agent does. */
export function agentRoutes(sandboxId: string, script: GuestScript = {}) {
  const { output = [], exitCode = 0 } = script;
  const failIf = failerOf(script);
  const pending = [...output];
  const reaped = new Set<string>();
  const pauseKilled = Promise.withResolvers<void>();
  const destroyed = Promise.withResolvers<never>();
  destroyed.promise.catch(() => undefined);
  return (router: ConnectRouter): void => {
    router.service(Health, { check: () => failIf("Check") ?? { status: 1 } });
    router.service(AgentService, {
      createSandbox: () => failIf("CreateSandbox") ?? {},
      getGuestDetails: () => failIf("GetGuestDetails") ?? { memBlockSizeBytes: 134_217_728n },
      copyFile: () => failIf("CopyFile") ?? {},
      createContainer: () => failIf("CreateContainer") ?? {},
      startContainer: () => failIf("StartContainer") ?? {},
      getOOMEvent: () => destroyed.promise,
      readStdout: () => ({ data: Buffer.from(pending.shift() ?? "") }),
      readStderr: () => ({ data: new Uint8Array() }),
      waitProcess: async ({ containerId }) => {
        if (reaped.has(containerId)) throw new ConnectError('"InvalidExecId"', Code.NotFound);
        if (containerId === sandboxId) await pauseKilled.promise;
        reaped.add(containerId);
        return { status: containerId === sandboxId ? 137 : exitCode };
      },
      signalProcess: ({ containerId }) => {
        if (containerId === sandboxId) pauseKilled.resolve();
        return {};
      },
      removeContainer: () => failIf("RemoveContainer") ?? {},
      removeStaleVirtiofsShareMounts: () => ({}),
      destroySandbox: () => {
        destroyed.reject(new ConnectError('""', Code.Internal));
        return failIf("DestroySandbox") ?? {};
      },
    });
  };
}

function failerOf({ failing = [] }: GuestScript): (method: string) => undefined {
  return (method) => {
    if (failing.includes(method)) throw new ConnectError(`${method} fails`, Code.Unknown);
  };
}
