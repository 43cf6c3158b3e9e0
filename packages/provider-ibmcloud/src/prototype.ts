import { createHash } from "node:crypto";
import type { CreateInstanceRequest, Placement, Tags } from "@peerpods/cloud-providers";
import { tagKeys, encodeUserData, type UserDataLimit } from "@peerpods/cloud-providers";
import type { IbmcloudConfig } from "./config.ts";
import { vpcNameOf } from "./instance-name.ts";
import type { Settings } from "./settings.ts";
import { NAME_KEY, REQUEST_KEY, toUserTags } from "./tags.ts";

/** IBM's limit for the field, counted before any encoding. */
export const userDataLimit: UserDataLimit = { carrier: "VPC user data", encoding: "plain", maxBytes: 65_536 };

/** Names of interfaces beside the primary one; they say what each is for. */
export const TUNNEL_INTERFACE = "tunnel";
export const EGRESS_INTERFACE = "egress";

/** What goes into an instance besides the request. */
export interface InstanceFacts {
  readonly config: IbmcloudConfig;
  readonly settings: Settings;
  readonly placement: Placement;
  readonly image: string;
  /** Of the profile. */
  readonly arch: string;
}

/** The body of `create_instance`, all but the place. */
export type InstancePrototype = ReturnType<typeof instancePrototype>;

/** The instance to make, whole: interfaces, volumes and tags of the boot volume come with it or not at all. */
export function instancePrototype(
  request: CreateInstanceRequest,
  { config, settings, placement, image, arch }: InstanceFacts,
) {
  const name = vpcNameOf(request.token);
  const groups = settings.securityGroups.map((id) => ({ id }));
  const withGroups = groups.length === 0 ? {} : { security_groups: groups };
  const networkInterfaces = [
    ...(config.tunnel.subnet === ""
      ? []
      : [
          {
            name: TUNNEL_INTERFACE,
            subnet: { id: config.tunnel.subnet },
            security_groups: [{ id: config.tunnel.securityGroup }],
            allow_ip_spoofing: true,
          },
        ]),
    ...(request.spec.multiNic
      ? [{ name: EGRESS_INTERFACE, subnet: { id: settings.subnet }, ...withGroups, allow_ip_spoofing: true }]
      : []),
  ];
  return {
    name,
    zone: { name: placement.zone },
    profile: { name: placement.instanceType },
    image: { id: image },
    vpc: { id: settings.vpc },
    keys: config.sshKey === "" ? [] : [{ id: config.sshKey }],
    user_data: encodeUserData(request.userData, userDataLimit),
    // The guest reads its user data over plain HTTP from the link-local address.
    metadata_service: { enabled: true, protocol: "http" },
    ...confidentialMode(config.confidential, arch),
    ...(settings.resourceGroup === "" ? {} : { resource_group: { id: settings.resourceGroup } }),
    primary_network_interface: { name: "primary", subnet: { id: settings.subnet }, ...withGroups },
    ...(networkInterfaces.length === 0 ? {} : { network_interfaces: networkInterfaces }),
    boot_volume_attachment: {
      delete_volume_on_instance_delete: true,
      volume: {
        name: `${name.slice(0, 58)}-boot`,
        profile: { name: "general-purpose" },
        user_tags: userTagsOf(request, config),
      },
    },
    ...(request.spec.volumes.length === 0
      ? {}
      : {
          volume_attachments: request.spec.volumes.map(({ diskId }, index) => ({
            name: dataAttachmentName(index),
            delete_volume_on_instance_delete: false,
            volume: { id: diskId },
          })),
        }),
  };
}

/** All user tags of what is made for a request: the account's own, ours, the readable name and what was asked for. */
export function userTagsOf(request: CreateInstanceRequest, config: IbmcloudConfig): readonly string[] {
  return [...config.tags, ...toUserTags(tagsOf(request))];
}

function tagsOf(request: CreateInstanceRequest): Tags {
  return {
    ...request.tags,
    [tagKeys.token]: request.token,
    [NAME_KEY]: request.name,
    [REQUEST_KEY]: requestDigest(request),
  };
}

/** What makes two requests of one token the same or not. */
export function requestDigest({ name, userData, spec, placement }: CreateInstanceRequest): string {
  const asked = JSON.stringify([name, userData, spec, placement ?? {}]);
  return createHash("sha256").update(asked).digest("hex").slice(0, 40);
}

/** Names sort as the volumes were asked for. */
export function dataAttachmentName(index: number): string {
  return `data-${String(index).padStart(2, "0")}`;
}

/** Secure Execution on s390x is the profile's and the image's affair; the field knows only Intel's modes. */
function confidentialMode(confidential: boolean, arch: string) {
  if (arch === "s390x") return {};
  return confidential
    ? { confidential_compute_mode: "tdx", enable_secure_boot: true }
    : { confidential_compute_mode: "disabled", enable_secure_boot: false };
}
