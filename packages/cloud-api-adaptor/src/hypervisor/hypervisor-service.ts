import type { ServiceImpl } from "@connectrpc/connect";
import type { Logger } from "@peerpods/cloud-providers";
import type { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { observed, type Observer } from "../observability/observer.ts";
import { SandboxError } from "../sandbox/errors.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import { checkSandboxId } from "../sandbox/sandbox-id.ts";
import { checkInitdata } from "../user-data/initdata.ts";
import { parseAnnotations } from "./annotations.ts";
import { toConnectError } from "./errors.ts";

/** What the hypervisor service needs besides the lifecycle. */
export interface HypervisorOptions {
  /** Parent of the pod directories; limits the length of sandbox ids. */
  readonly podsDir: string;
  /** Ask for VMs with a second network interface for traffic that leaves the cluster. */
  readonly multiNic: boolean;
  readonly logger: Logger;
  /** Told of each call. */
  readonly observer?: Pick<Required<Observer>, "hypervisorCallBegan" | "hypervisorCall">;
}

/**
 * `hypervisor.Hypervisor`, the service the kata shim calls: wire messages to lifecycle calls and back.
 *
 * A caller that goes away during CreateVM or StartVM cancels the call; StopVM is done whatever becomes of the caller.
 * Errors carry a status code and one line for people. `Version` answers `0.0.0`, as every remote hypervisor does.
 */
export function hypervisorService(
  lifecycle: Lifecycle,
  { podsDir, multiNic, logger, observer }: HypervisorOptions,
): ServiceImpl<typeof Hypervisor> {
  const answering = async <T>(
    { call, sandboxId }: { call: string; sandboxId: string },
    act: () => Promise<T>,
  ): Promise<T> => {
    const log = { call, sandboxId: sandboxId.slice(0, 128) };
    logger.debug(log, "call");
    const observedCall = { name: call, sandboxId: log.sandboxId };
    observer?.hypervisorCallBegan({ ...observedCall, startMs: Date.now() });
    try {
      return await observed(
        observedCall,
        async () => {
          checkSandboxId(sandboxId, podsDir);
          return await act();
        },
        { tell: (ended) => observer?.hypervisorCall(ended), now: Date.now },
      );
    } catch (error) {
      logger.warn({ ...log, err: error }, "call failed");
      throw toConnectError(error);
    }
  };

  return {
    createVM: ({ id, annotations, networkNamespacePath }, { signal }) =>
      answering({ call: "CreateVM", sandboxId: id }, async () => {
        const { podName, podNamespace, spec, initdata } = parseAnnotations(annotations);
        if (initdata !== undefined) checkInitdata(initdata);
        const netnsPath = checkNetnsPath(networkNamespacePath);
        const { agentSocketPath } = await lifecycle.create(
          {
            sandboxId: id,
            podName,
            podNamespace,
            netnsPath,
            spec: { ...spec, multiNic },
            ...(initdata === undefined ? {} : { initdata }),
          },
          { signal },
        );
        logger.info({ sandboxId: id, podName, podNamespace, netnsPath }, "sandbox created");
        return { agentSocketPath };
      }),

    startVM: ({ id }, { signal, timeoutMs }) =>
      answering({ call: "StartVM", sandboxId: id }, async () => {
        const remainingMs = timeoutMs();
        const deadline = remainingMs === undefined ? {} : { deadline: Date.now() + remainingMs };
        await lifecycle.start(id, { signal, ...deadline });
        logger.info({ sandboxId: id }, "sandbox runs");
        return {};
      }),

    stopVM: ({ id }) =>
      answering({ call: "StopVM", sandboxId: id }, async () => {
        await lifecycle.stop(id);
        return {};
      }),

    version: () => ({ version: "0.0.0" }),
  };
}

function checkNetnsPath(path: string): string {
  if (path.startsWith("/") && !path.includes("\0") && path.length <= 4096) return path;
  throw new SandboxError(
    "invalid_request",
    path === ""
      ? "networkNamespacePath is empty; a peer pod needs a network namespace of its own (host network is not possible)"
      : "networkNamespacePath is not an absolute path",
  );
}
