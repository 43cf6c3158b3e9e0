import { resource, type ObjectMeta, type Resource, type ResourceType } from "../../kubernetes/resource.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import type { KubeObject } from "../objects/kube-object.ts";

/** Plurals of the kinds that an installation has. */
const plurals: Readonly<Record<string, string>> = {
  Namespace: "namespaces",
  CustomResourceDefinition: "customresourcedefinitions",
  ServiceAccount: "serviceaccounts",
  ClusterRole: "clusterroles",
  ClusterRoleBinding: "clusterrolebindings",
  Role: "roles",
  RoleBinding: "rolebindings",
  ConfigMap: "configmaps",
  Secret: "secrets",
  Deployment: "deployments",
  DaemonSet: "daemonsets",
  RuntimeClass: "runtimeclasses",
};

/** An object of any kind as the server gives it; `status` is there where the kind has one. */
export interface LiveObject {
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export function kindOf({ apiVersion, kind }: KubeObject): ResourceType<LiveObject> {
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const plural = plurals[kind];
  if (plural === undefined) throw new Error(`no plural is known of ${kind}`);
  return { group, version, plural, parse: (input) => input as LiveObject };
}

export function resourceOf(kube: KubeClient, object: KubeObject): Resource<LiveObject> {
  return resource(kube, kindOf(object));
}

export function keyOfObject({ metadata: { name, namespace } }: KubeObject) {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/** For people: `DaemonSet cloud-api-adaptor-daemonset`. */
export function nameOfObject({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}
