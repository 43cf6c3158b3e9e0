import type { OperationName } from "./operations.ts";

/** What an identity needs for a call. */
export interface Permission {
  /** IAM actions, for a custom role; none where every identity of the account may. */
  readonly actions: readonly string[];
  /** The smallest platform role that has them. */
  readonly role: string;
}

const viewer = (action: string): Permission => ({ actions: [action], role: "Viewer" });

/**
 * Permissions by call. The roles are IBM's own words; the action names follow its pattern `is.<resource>.<resource>.<verb>` and
 * could not be tried on an account. The README lists them, and a test holds the list against every call that tests have seen.
 */
export const permissions: Readonly<Record<OperationName, Permission>> = {
  create_instance: {
    actions: [
      "is.instance.instance.create",
      "is.vpc.vpc.operate",
      "is.subnet.subnet.operate",
      "is.security-group.security-group.operate",
      "is.image.image.operate",
      "is.key.key.operate",
      "is.volume.volume.create",
      "is.volume.volume.operate",
      "is.dedicated-host.dedicated-host.operate",
    ],
    role: "Editor, with a second interface also IP Spoofing Operator",
  },
  delete_instance: { actions: ["is.instance.instance.delete"], role: "Editor" },
  list_instances: viewer("is.instance.instance.list"),
  get_instance: viewer("is.instance.instance.read"),
  list_volumes: viewer("is.volume.volume.list"),
  get_volume: viewer("is.volume.volume.read"),
  get_image: viewer("is.image.image.read"),
  get_instance_profile: { actions: [], role: "Viewer" },
  get_subnet: viewer("is.subnet.subnet.read"),
  get_security_group: viewer("is.security-group.security-group.read"),
  get_key: viewer("is.key.key.read"),
  get_dedicated_host: viewer("is.dedicated-host.dedicated-host.read"),
  get_dedicated_host_group: viewer("is.dedicated-host.dedicated-host-group.read"),
  attach_tag: { actions: ["is.instance.instance.update"], role: "Editor on the instance" },
  list_tags: { actions: [], role: "Viewer" },
  get_security_groups: {
    actions: ["containers-kubernetes.cluster.read"],
    role: "Viewer of the Kubernetes Service",
  },
};
