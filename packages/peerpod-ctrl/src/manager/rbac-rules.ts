import { CONFIG_MAP_NAME, GROUP, LEASE_NAME, PLURAL, SECRET_NAME } from "../api/names.ts";

/** A rule of a Role or ClusterRole. `Name`: what stands for a name that is not known yet, in an installer. */
export interface PolicyRule<Name = string> {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly Name[];
  readonly verbs: readonly string[];
}

/** What the controller may do in all namespaces, and nothing more: the rules of its ClusterRole. */
export const clusterRules: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: [PLURAL], verbs: ["list", "watch", "patch", "get", "delete"] },
  { apiGroups: [GROUP], resources: [`${PLURAL}/status`], verbs: ["patch"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
  // The cluster id, unless it is a setting.
  { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
  // Sweeps: whether the pod and the node of an instance exist.
  { apiGroups: [""], resources: ["pods", "nodes"], verbs: ["get"] },
];

/** What it may do in its own namespace besides: the rules of its Role. */
export function namespacedRules<Name = string>({
  configMap = CONFIG_MAP_NAME,
  secret = SECRET_NAME,
  leaseName = LEASE_NAME,
}: {
  readonly configMap?: Name | string;
  readonly secret?: Name | string;
  readonly leaseName?: Name | string;
} = {}): readonly PolicyRule<Name | string>[] {
  return [
    { apiGroups: [""], resources: ["configmaps"], resourceNames: [configMap], verbs: ["list", "watch"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: [secret], verbs: ["list", "watch"] },
    {
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      resourceNames: [leaseName],
      verbs: ["get", "update"],
    },
    // A creation cannot be held to a name.
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
  ];
}
