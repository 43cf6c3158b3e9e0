import { createClient, type Client } from "@connectrpc/connect";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { dialTtrpc } from "@peerpods/ttrpc";
import { asShim, asShimItself, deadlinesMs } from "./agent-calls.ts";
import type { PodRequest } from "./pod-request.ts";

const prefix = "io.katacontainers.config.hypervisor.";

/** The remote hypervisor as the shim calls it: a connection of its own for each call, closed after the answer. */
export class HypervisorClient {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Returns the path of the agent socket. */
  async createVM(pod: PodRequest, signal: AbortSignal): Promise<string> {
    const { agentSocketPath } = await this.#once(signal, (client) =>
      client.createVM(
        {
          id: pod.sandboxId,
          networkNamespacePath: pod.netnsPath,
          // Always these nine, empty when unset.
          annotations: {
            "io.kubernetes.cri.sandbox-name": pod.name,
            "io.kubernetes.cri.sandbox-namespace": pod.namespace,
            [`${prefix}machine_type`]: pod.machineType,
            [`${prefix}image`]: pod.podVMImage,
            [`${prefix}default_vcpus`]: String(pod.vcpus),
            [`${prefix}default_memory`]: String(pod.memoryMiB),
            [`${prefix}cc_init_data`]: pod.initdata,
            [`${prefix}default_gpus`]: "0",
            [`${prefix}default_gpu_model`]: "",
          },
        },
        asShim(undefined, signal),
      ),
    );
    return agentSocketPath;
  }

  async startVM(sandboxId: string, signal: AbortSignal): Promise<void> {
    await this.#once(signal, (client) =>
      client.startVM({ id: sandboxId }, asShimItself(deadlinesMs.startVM, signal)),
    );
  }

  /** @param sent is called when the request is on its way, before the answer. */
  async stopVM(sandboxId: string, signal: AbortSignal, sent: () => void = () => undefined): Promise<void> {
    await this.#once(signal, async (client) => {
      const answer = client.stopVM({ id: sandboxId }, asShim(undefined, signal));
      sent();
      await answer;
    });
  }

  async #once<T>(signal: AbortSignal, call: (client: Client<typeof Hypervisor>) => Promise<T>): Promise<T> {
    await using connection = await dialTtrpc({ path: this.#path }, { signal });
    return await call(createClient(Hypervisor, connection.transport));
  }
}
