import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { z } from "zod";

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** What the cluster tells of itself and of the worker node, where the provider runs in one. */
export interface ClusterFacts {
  /** Labels of the node `NODE_NAME`; none when they cannot be read. */
  nodeLabels(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Id of the cluster in the Kubernetes Service, or `undefined` for a cluster that is not one of it. */
  clusterId(signal: AbortSignal): Promise<string | undefined>;
}

/** Where a pod finds the API server. */
export interface InCluster {
  readonly host: string;
  readonly port: string;
  readonly nodeName: string;
  /** Directory with `token` and `ca.crt`. */
  readonly serviceAccount: string;
}

/** The API server of the pod that this process runs in, or `undefined` outside of a cluster. */
export function inClusterOf(env: Readonly<Record<string, string | undefined>>): InCluster | undefined {
  const {
    KUBERNETES_SERVICE_HOST: host = "",
    KUBERNETES_SERVICE_PORT: port = "443",
    NODE_NAME: nodeName = "",
  } = env;
  if (host === "") return undefined;
  return { host, port, nodeName, serviceAccount: "/var/run/secrets/kubernetes.io/serviceaccount" };
}

const nodeSchema = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }) });
const configMapSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });
const clusterConfigSchema = z.object({ cluster_id: z.string() });

/**
 * Two reads of the API server, with the rights to get this node and the ConfigMap `kube-system/cluster-info`. A client library would
 * be heavier than the provider itself. Facts that may not or cannot be read are missing, not wrong: `onFailure` hears why.
 */
export function createClusterFacts(
  cluster: InCluster | undefined,
  onFailure: (what: string, error: unknown) => void,
): ClusterFacts {
  async function read(path: string, signal: AbortSignal): Promise<unknown> {
    if (cluster === undefined) return undefined;
    try {
      return await get(cluster, path, signal);
    } catch (error) {
      signal.throwIfAborted();
      onFailure(path, error);
      return undefined;
    }
  }
  return {
    async nodeLabels(signal) {
      const name = cluster?.nodeName ?? "";
      if (name === "") return {};
      const node = nodeSchema.safeParse(await read(`/api/v1/nodes/${encodeURIComponent(name)}`, signal));
      return node.data?.metadata.labels ?? {};
    },
    async clusterId(signal) {
      const answer = await read("/api/v1/namespaces/kube-system/configmaps/cluster-info", signal);
      const { cluster_id: plain, "cluster-config.json": json } =
        configMapSchema.safeParse(answer).data?.data ?? {};
      return plain ?? (json === undefined ? undefined : clusterIdIn(json));
    },
  };
}

function clusterIdIn(json: string): string | undefined {
  try {
    return clusterConfigSchema.safeParse(JSON.parse(json)).data?.cluster_id;
  } catch {
    return undefined;
  }
}

async function get(
  { host, port, serviceAccount }: InCluster,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const [token, ca] = await Promise.all(
    ["token", "ca.crt"].map(async (name) => await readFile(`${serviceAccount}/${name}`, "utf8")),
  );
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const headers = { authorization: `Bearer ${token?.trim() ?? ""}`, accept: "application/json" };
  const sent = request({ host, port, path, ca, headers, signal: limited }, (answer) => {
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > MAX_ANSWER_BYTES) answer.destroy(new Error(`${path}: the answer is over 4 MiB`));
    });
    text(answer)
      .then((body) => {
        if (answer.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${path}: the API server answers ${answer.statusCode}`));
      })
      .catch(reject);
  });
  sent.on("error", reject);
  sent.end();
  return await promise;
}
