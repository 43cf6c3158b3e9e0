import type {
  CoreV1Event,
  V1ConfigMap,
  V1Lease,
  V1Namespace,
  V1Node,
  V1Pod,
  V1Secret,
  V1ServiceAccount,
} from "@kubernetes/client-node";
import type { ObjectMeta, ResourceType } from "./resource.ts";

/**
 * An object as JSON brings it: client-node's generated types, with times as the text they have on the wire, and with
 * the metadata that the server always sets.
 */
export type FromServer<T> = Omit<OnTheWire<T>, "metadata"> & { readonly metadata: ObjectMeta };

type OnTheWire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? OnTheWire<Item>[]
    : T extends object
      ? { [Key in keyof T]: OnTheWire<T[Key]> }
      : T;

export const pods = coreType<V1Pod>("pods");
export const nodes = coreType<V1Node>("nodes");
export const namespaces = coreType<V1Namespace>("namespaces");
export const configMaps = coreType<V1ConfigMap>("configmaps");
export const secrets = coreType<V1Secret>("secrets");
export const serviceAccounts = coreType<V1ServiceAccount>("serviceaccounts");
export const events = coreType<CoreV1Event>("events");
export const leases: ResourceType<FromServer<V1Lease>> = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  parse: withMetadata,
};

function coreType<T>(plural: string): ResourceType<FromServer<T>> {
  return { group: "", version: "v1", plural, parse: withMetadata };
}

/**
 * Built-in types are held to their schema by the server itself; only what everything here leans on is looked at.
 * @throws TypeError when it is no object with a name.
 */
function withMetadata<T>(input: unknown): FromServer<T> {
  const metadata = (input as { metadata?: { name?: unknown } } | null)?.metadata;
  if (typeof metadata?.name !== "string") throw new TypeError("not a Kubernetes object: it has no name");
  return input as FromServer<T>;
}
