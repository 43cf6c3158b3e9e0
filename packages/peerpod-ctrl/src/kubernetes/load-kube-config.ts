import { KubeConfig } from "@kubernetes/client-node";

/**
 * How to reach the API server: `kubeconfig` if given, else the file of `KUBECONFIG`, else the service account of the pod,
 * else `~/.kube/config`.
 * @throws Error naming what was looked for when there is nothing.
 */
export function loadKubeConfig(
  kubeconfig: string,
  env: Readonly<Record<string, string | undefined>>,
): KubeConfig {
  const config = new KubeConfig();
  const file = kubeconfig === "" ? env["KUBECONFIG"] : kubeconfig;
  try {
    if (file !== undefined && file !== "") config.loadFromFile(file);
    else if (env["KUBERNETES_SERVICE_HOST"] !== undefined) config.loadFromCluster();
    else config.loadFromFile(`${env["HOME"] ?? ""}/.kube/config`);
  } catch (error) {
    throw new Error(
      "no way to the API server: give --kubeconfig or KUBECONFIG, or run in a pod with a service account",
      { cause: error },
    );
  }
  return config;
}
