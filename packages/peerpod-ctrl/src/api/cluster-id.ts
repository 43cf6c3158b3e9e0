import { namespaces } from "../kubernetes/core.ts";
import type { KubeCallOptions, KubeClient } from "../kubernetes/kube-client.ts";
import { resource } from "../kubernetes/resource.ts";

/**
 * What marks the cloud resources of this cluster: the setting, else the UID of the namespace `kube-system`. Daemon and
 * controller ask here, so that they agree.
 * @throws KubernetesError `forbidden` and others when there is no setting and the namespace cannot be read.
 */
export async function clusterIdOf(
  kube: KubeClient,
  setting: string,
  options?: KubeCallOptions,
): Promise<string> {
  if (setting !== "") return setting;
  const { metadata } = await resource(kube, namespaces).get({ name: "kube-system" }, options);
  return metadata.uid;
}
