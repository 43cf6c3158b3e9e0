import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { createPodBridge, type PodBridge, type PodNamespace, type PodRequest } from "./internals.ts";

/** One bridge has a /24, and the gateway one of its addresses. */
const PODS_PER_BRIDGE = 200;

/** Network namespaces for pods, made one by one as a CNI plug-in makes them. */
export interface PodNetworks extends AsyncDisposable {
  add(): Promise<PodNamespace>;
  remove(pod: PodNamespace): Promise<void>;
}

/** Bridges appear as they are needed. Names and addresses are this process's own. */
export function createPodNetworks(): PodNetworks {
  const id = process.pid.toString(36);
  const bridges: Promise<PodBridge>[] = [];
  let count = 0;
  let latest: Promise<unknown> = Promise.resolve();
  // A bridge numbers its pods as they come, one after the other.
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = latest.then(work);
    latest = mine.catch(() => undefined);
    return mine;
  };
  return {
    add: () =>
      inOrder(async () => {
        const number = count++;
        const index = Math.floor(number / PODS_PER_BRIDGE);
        const subnet = `10.${64 + (process.pid % 64)}.${index % 256}`;
        const bridge = await (bridges[index] ??= createPodBridge(`b${id}x${index}`, subnet));
        return await bridge.addPod(`ppb-${id}-${number}`);
      }),
    async remove({ name }) {
      await execa("ip", ["netns", "delete", name]);
    },
    async [Symbol.asyncDispose]() {
      for (const bridge of bridges.splice(0)) await (await bridge)[Symbol.asyncDispose]();
    },
  };
}

/** A pod as small as it can be. */
export function podRequest({ name, path }: PodNamespace): PodRequest {
  return {
    sandboxId: randomBytes(32).toString("hex"),
    name,
    namespace: "bench",
    netnsPath: path,
    machineType: "",
    podVMImage: "",
    vcpus: 1,
    memoryMiB: 256,
    initdata: "",
    dns: [],
  };
}
