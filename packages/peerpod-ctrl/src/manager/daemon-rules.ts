import { GROUP, PLURAL } from "../api/names.ts";
import type { PolicyRule } from "./rbac-rules.ts";

/**
 * What the daemon, `cloud-api-adaptor`, may do in all namespaces, and nothing more: the rules of its ClusterRole. They stand
 * here because this package's installer renders them; the daemon's own tests run it under exactly these.
 */
export const daemonRules: readonly PolicyRule[] = [
  // The record of each pod VM: written before the cloud is asked, removed when the VM is gone.
  { apiGroups: [GROUP], resources: [PLURAL], verbs: ["create", "get", "patch", "delete"] },
  { apiGroups: [GROUP], resources: [`${PLURAL}/status`], verbs: ["patch"] },
  // Whose the VM is, and with what its images are pulled.
  { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
  { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] },
  { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
  // The extended resource, and which daemon speaks for the node.
  { apiGroups: [""], resources: ["nodes"], verbs: ["get", "patch"] },
  { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
  // The cluster id, unless it is a setting.
  { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
];
