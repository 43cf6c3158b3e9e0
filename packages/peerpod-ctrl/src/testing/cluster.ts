import { startCluster, type Cluster, type ClusterOptions } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { KubeConfig } from "@kubernetes/client-node";
import { createPeerPodClient, type PeerPodClient } from "../api/client.ts";
import { peerPodCrd } from "../api/crd.ts";
import { FINALIZER, GROUP, KIND, VERSION } from "../api/names.ts";
import type { PeerPodSpec } from "../api/peerpod.ts";
import { namespaces, pods, type FromServer } from "../kubernetes/core.ts";
import type { V1Pod } from "@kubernetes/client-node";
import { createKubeClient, type KubeClient } from "../kubernetes/kube-client.ts";
import { resource, type ObjectMeta } from "../kubernetes/resource.ts";

/** A real API server that knows PeerPods. */
export interface PeerPodCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  /** As the administrator. */
  readonly kube: KubeClient;
  readonly peerPods: PeerPodClient;
  kubeFor(user: string): KubeClient;
  namespace(name: string): Promise<void>;
  pod(name: string, namespace: string): Promise<FromServer<V1Pod>>;
}

export async function startPeerPodCluster(
  options: ClusterOptions & { readonly crd?: boolean } = {},
): Promise<PeerPodCluster> {
  await using parts = new AsyncDisposableStack();
  const cluster = parts.use(await startCluster(options));
  const kube = kubeOf(cluster.kubeconfig());
  if (options.crd !== false) await installCrd(kube);
  const owned = parts.move();
  return {
    cluster,
    kube,
    peerPods: createPeerPodClient(kube),
    kubeFor: (user) => kubeOf(cluster.kubeconfig(user)),
    async namespace(name) {
      await resource(kube, namespaces).create({ metadata: { name } }, {});
    },
    pod: (name, namespace) =>
      resource(kube, pods).create(
        { metadata: { name, namespace }, spec: { containers: [{ name: "c", image: "none" }] } },
        { namespace },
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function kubeOf(kubeconfig: string): KubeClient {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return createKubeClient(config);
}

const crds = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  parse: (input: unknown) =>
    input as { metadata: ObjectMeta; status?: { conditions?: { type: string; status: string }[] } },
};

export async function installCrd(kube: KubeClient): Promise<void> {
  const { metadata } = await resource(kube, crds).create(peerPodCrd(), {});
  await until("CRD established", async () => {
    const { status } = await resource(kube, crds).get(metadata);
    return status?.conditions?.some(({ type, status }) => type === "Established" && status === "True");
  });
  // Established is said a moment before the resource is served.
  await until("PeerPods served", async () => (await createPeerPodClient(kube).list()).items);
}

/** A PeerPod as the Go daemon writes it, or as `change` says. */
export function peerPodObject(name: string, spec: PeerPodSpec, metadata: object = {}): object {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name, finalizers: [FINALIZER], ...metadata },
    spec,
  };
}
