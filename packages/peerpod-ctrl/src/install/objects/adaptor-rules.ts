import { GROUP, PLURAL } from "../../api/names.ts";
import type { Rules } from "./permissions.ts";

/** What the daemon may do, and nothing more. */
export const adaptorRules: Rules = {
  cluster: [
    { apiGroups: [GROUP], resources: [PLURAL], verbs: ["get", "list", "create", "patch"] },
    { apiGroups: [GROUP], resources: [`${PLURAL}/status`], verbs: ["patch"] },
    // The owner of a PeerPod; pull secrets of a pod and of its account.
    { apiGroups: [""], resources: ["pods", "serviceaccounts", "secrets"], verbs: ["get"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["get", "patch"] },
    { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
    { apiGroups: [""], resources: ["events"], verbs: ["create"] },
    // The cluster id, unless it is a setting.
    { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
  ],
  own: [],
};
