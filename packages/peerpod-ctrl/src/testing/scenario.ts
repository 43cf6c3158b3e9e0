import { instanceTags, instanceToken, type Provider } from "@peerpods/cloud-providers";
import {
  fakeOptionValues,
  fakeProvider,
  testRequest,
  timedCall,
  type FakeCloud,
} from "@peerpods/cloud-providers/testing";
import { silentLogger, systemClock } from "@peerpods/cloud-providers";
import { tmpdir } from "node:os";
import { buildPeerPod } from "../api/build-peerpod.ts";
import type { PeerPod, PeerPodSpec } from "../api/peerpod.ts";
import type { PeerPodCluster } from "./cluster.ts";

/** A daemon's hand: makes instances with the tags that ours would give them, and their PeerPods. */
export interface Hand {
  readonly provider: Provider;
  /** An instance, tagged as the daemon of `clusterId` (default `c1`) does. */
  instance(pod: { name: string; namespace: string; clusterId?: string; nodeName?: string }): Promise<string>;
  /** An instance and the PeerPod that records it. */
  peerPod(pod: PodOptions): Promise<PeerPod>;
}

export interface PodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly podUid?: string;
  readonly clusterId?: string;
  readonly spec?: PeerPodSpec;
}

export async function createHand(api: PeerPodCluster, cloud: FakeCloud): Promise<Hand> {
  const provider = await fakeProvider(cloud).newProvider({
    config: fakeOptionValues(),
    logger: silentLogger,
    stateDir: tmpdir(),
    env: {},
  });
  async function instance({
    name,
    namespace,
    clusterId = "c1",
    nodeName = "node-1",
  }: {
    name: string;
    namespace: string;
    clusterId?: string;
    nodeName?: string;
  }): Promise<string> {
    const sandboxId = `sandbox-${name}`;
    using call = timedCall(systemClock);
    const request = testRequest({ podName: name, podNamespace: namespace, sandboxId, clusterId });
    const tags = instanceTags({
      clusterId,
      nodeName,
      podNamespace: namespace,
      podName: name,
      sandboxId,
      attempt: 1,
    });
    const { id } = await provider.createInstance({ ...request, tags }, call);
    return id;
  }
  return {
    provider,
    instance,
    async peerPod({ name, namespace, podUid, clusterId = "c1", spec = {} }) {
      const sandboxID = `sandbox-${name}`;
      const id = spec.instanceID ?? (await instance({ name, namespace, clusterId }));
      const object = buildPeerPod({
        clusterId,
        podName: name,
        podNamespace: namespace,
        ...(podUid === undefined ? {} : { podUid }),
        spec: {
          cloudProvider: "fake",
          sandboxID,
          nodeName: "node-1",
          instanceID: id,
          token: instanceToken(sandboxID, 1),
          ...spec,
        },
      });
      return await api.peerPods.create(object, { namespace });
    },
  };
}
