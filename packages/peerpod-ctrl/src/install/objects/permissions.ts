import type { PolicyRule } from "../../manager/rbac-rules.ts";
import type { Slot } from "../slot.ts";
import type { Part } from "./kube-object.ts";
import { namespace } from "./names.ts";

type Name = string | Slot<string>;
type Labels = Readonly<Record<string, string>>;

/** What a program may do in all namespaces, and in its own. */
export interface Rules {
  readonly cluster: readonly PolicyRule[];
  readonly own: readonly PolicyRule<Name>[];
}

export function serviceAccount(
  name: Name,
  { labels, annotations }: { readonly labels: Labels; readonly annotations?: Slot },
): Part {
  return {
    object: {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name, namespace, labels, ...(annotations === undefined ? {} : { annotations }) },
    },
  };
}

/** ClusterRole and Role with their bindings to one account; a role without rules is left out. */
export function bindings(
  {
    role,
    binding,
    account,
    labels,
  }: { readonly role: Name; readonly binding: Name; readonly account: Name; readonly labels: Labels },
  { cluster, own }: Rules,
): readonly Part[] {
  return [
    ...grant({ kind: "ClusterRole", rules: cluster, metadata: { name: role, labels }, binding, account }),
    ...grant({ kind: "Role", rules: own, metadata: { name: role, namespace, labels }, binding, account }),
  ];
}

function grant({
  kind,
  rules,
  metadata,
  binding,
  account,
}: {
  readonly kind: "Role" | "ClusterRole";
  readonly rules: readonly PolicyRule<Name>[];
  readonly metadata: Part["object"]["metadata"];
  readonly binding: Name;
  readonly account: Name;
}): readonly Part[] {
  if (rules.length === 0) return [];
  const api = "rbac.authorization.k8s.io";
  return [
    { object: { apiVersion: `${api}/v1`, kind, metadata, rules } },
    {
      object: {
        apiVersion: `${api}/v1`,
        kind: `${kind}Binding`,
        metadata: { ...metadata, name: binding },
        roleRef: { apiGroup: api, kind, name: metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account, namespace }],
      },
    },
  ];
}
