import { account, profiles, type KnownProfile } from "../account.ts";
import type { State, StoredInstance, StoredVolume } from "../state.ts";

/**
 * Answers in full, with every property that the published model requires: the official Python SDK is to understand
 * them too.
 */

const href = (path: string) => `https://${account.region}.iaas.cloud.ibm.com/v1${path}`;
export const crnOf = (kind: string, id: string) =>
  `crn:v1:bluemix:public:is:${account.zone}:a/5a7e5a7e5a7e5a7e5a7e5a7e5a7e5a7e::${kind}:${id}`;

const zoneAnswer = (name: string) => ({ name, href: href(`/regions/${account.region}/zones/${name}`) });
const group = {
  id: account.resourceGroup,
  name: "default",
  href: "https://resource-controller.cloud.ibm.com/v2/resource_groups/default",
};
const vpcAnswer = (id: string) => ({
  id,
  crn: crnOf("vpc", id),
  href: href(`/vpcs/${id}`),
  name: id === account.vpc ? "vpc" : "other-vpc",
  resource_type: "vpc",
});
const subnetReference = (id: string) => ({
  id,
  crn: crnOf("subnet", id),
  href: href(`/subnets/${id}`),
  name: `subnet-${id.slice(-4)}`,
  resource_type: "subnet",
});

export function instanceAnswer(instance: StoredInstance): object {
  const { id, name, interfaces, status, bootVolume } = instance;
  const profile = profileNamed(instance.profile);
  const path = `/instances/${id}`;
  const cards = interfaces.map((card) => ({
    id: card.id,
    href: href(`${path}/network_interfaces/${card.id}`),
    name: card.name,
    resource_type: "network_interface",
    primary_ip: {
      address: instance.looks < 1 || status === "pending" ? "0.0.0.0" : card.address,
      href: href(`/subnets/${card.subnet}/reserved_ips/${card.id}`),
      id: card.id,
      name: `ip-${card.id.slice(-4)}`,
      resource_type: "subnet_reserved_ip",
    },
    subnet: subnetReference(card.subnet),
  }));
  const attachment = (attachmentId: string, attachmentName: string, volume: string) => ({
    id: attachmentId,
    name: attachmentName,
    href: href(`${path}/volume_attachments/${attachmentId}`),
    device: { id: `${attachmentId.slice(0, 4)}-dev` },
    volume: {
      id: volume,
      crn: crnOf("volume", volume),
      href: href(`/volumes/${volume}`),
      name: `volume-${volume.slice(-4)}`,
      resource_type: "volume",
    },
  });
  const boot = attachment(`${bootVolume}-at`, "boot", bootVolume);
  return {
    id,
    crn: instance.crn,
    href: href(path),
    name,
    created_at: instance.createdAt,
    status,
    status_reasons:
      instance.reason === ""
        ? []
        : [{ code: instance.reason, message: `the instance ${instance.reason.replaceAll("_", " ")}` }],
    lifecycle_state: status === "running" ? "stable" : status === "failed" ? "failed" : status,
    lifecycle_reasons: [],
    health_state: "ok",
    health_reasons: [],
    resource_type: "instance",
    startable: true,
    availability: { class: "standard" },
    availability_policy: { host_failure: "restart", preemption: "stop" },
    bandwidth: 4_000,
    total_network_bandwidth: 3_000,
    total_volume_bandwidth: 1_000,
    volume_bandwidth_qos_mode: "pooled",
    threads_per_core: 2,
    disks: [],
    cluster_network_attachments: [],
    network_attachments: [],
    software_attachments: [],
    confidential_compute_mode: instance.mode,
    enable_secure_boot: instance.secureBoot,
    memory: profile.memoryGiB,
    vcpu: { architecture: profile.arch, count: profile.vcpus, manufacturer: "intel", percentage: 100 },
    metadata_service: { enabled: true, protocol: "http", response_hop_limit: 1 },
    reservation_affinity: { policy: "disabled", pool: [] },
    profile: {
      name: profile.name,
      href: href(`/instance/profiles/${profile.name}`),
      resource_type: "instance_profile",
    },
    image: {
      id: instance.image,
      crn: crnOf("image", instance.image),
      href: href(`/images/${instance.image}`),
      name: "podvm",
      resource_type: "image",
    },
    resource_group: group,
    vpc: vpcAnswer(instance.vpc),
    zone: zoneAnswer(instance.zone),
    primary_network_interface: cards[0],
    network_interfaces: cards,
    boot_volume_attachment: boot,
    volume_attachments: [
      boot,
      ...instance.attachments.map((one) => attachment(one.id, one.name, one.volume)),
    ],
  };
}

export function volumeAnswer(volume: StoredVolume, { instances }: State): object {
  const { id, instance } = volume;
  const holder = instance === undefined ? undefined : instances.get(instance);
  return {
    id,
    crn: crnOf("volume", id),
    href: href(`/volumes/${id}`),
    name: volume.name,
    active: instance !== undefined,
    busy: false,
    bandwidth: 1_000,
    capacity: 100,
    iops: 3_000,
    adjustable_capacity_states: ["attached"],
    adjustable_iops_states: ["attached"],
    attachment_state: instance === undefined ? "unattached" : "attached",
    created_at: "2026-10-01T00:00:00Z",
    encryption: "provider_managed",
    health_reasons: [],
    health_state: "ok",
    profile: { name: "general-purpose", href: href("/volume/profiles/general-purpose") },
    resource_group: group,
    resource_type: "volume",
    software_attachments: [],
    status: "available",
    status_reasons: [],
    storage_generation: 1,
    user_tags: [...volume.userTags],
    zone: zoneAnswer(account.zone),
    volume_attachments:
      holder === undefined
        ? []
        : [
            {
              id: `${id}-at`,
              name: volume.boot ? "boot" : "data",
              href: href(`/instances/${holder.id}/volume_attachments/${id}-at`),
              type: volume.boot ? "boot" : "data",
              delete_volume_on_instance_delete: volume.boot,
              instance: {
                id: holder.id,
                crn: holder.crn,
                href: href(`/instances/${holder.id}`),
                name: holder.name,
                resource_type: "instance",
              },
            },
          ],
  };
}

/** One page of a collection, with the token of the next. */
export function pageOf(
  key: string,
  all: readonly object[],
  { path, query }: { readonly path: string; readonly query: URLSearchParams },
): object {
  const limit = Math.min(100, Math.max(1, Number(query.get("limit") ?? 50)));
  const start = Number(query.get("start") ?? 0);
  const more = start + limit < all.length;
  return {
    [key]: all.slice(start, start + limit),
    limit,
    total_count: all.length,
    first: { href: href(`${path}?limit=${limit}`) },
    ...(more ? { next: { href: href(`${path}?limit=${limit}&start=${start + limit}`) } } : {}),
  };
}

export function profileAnswer(profile: KnownProfile): object {
  const fixed = (value: unknown) => ({ type: "fixed", value });
  const enumeration = (values: readonly unknown[]) => ({ type: "enum", default: values[0], values });
  return {
    name: profile.name,
    href: href(`/instance/profiles/${profile.name}`),
    family: "balanced",
    resource_type: "instance_profile",
    status: "current",
    availability_class: enumeration(["standard"]),
    bandwidth: fixed(4_000),
    cluster_network_attachment_count: { type: "enum", default: 0, values: [0] },
    confidential_compute_modes: enumeration(profile.modes),
    secure_boot_modes: enumeration(profile.modes.includes("tdx") ? [false, true] : [false]),
    disks: [],
    memory: fixed(profile.memoryGiB),
    network_attachment_count: { type: "range", min: 1, max: 5 },
    network_bandwidth_mode: { type: "fixed", value: "pooled" },
    network_interface_count: { type: "range", min: 1, max: 5 },
    os_architecture: { type: "enum", default: profile.arch, values: [profile.arch] },
    port_speed: fixed(16_000),
    reservation_terms: { type: "enum", values: ["one_year"] },
    supported_cluster_network_profiles: [],
    threads_per_core: { type: "enum", default: 2, values: [1, 2] },
    total_volume_bandwidth: { type: "range", min: 500, max: 3_500, default: 1_000, step: 1 },
    vcpu_architecture: { type: "fixed", value: profile.arch },
    vcpu_burst_limit: { type: "fixed", value: 100 },
    vcpu_count: fixed(profile.vcpus),
    vcpu_manufacturer: { type: "fixed", value: "intel" },
    vcpu_percentage: { type: "enum", default: 100, values: [100] },
    volume_bandwidth_qos_modes: enumeration(["pooled"]),
    zones: [zoneAnswer(account.zone)],
    ...(profile.gpus === undefined ? {} : { gpu_count: fixed(profile.gpus) }),
  };
}

export function profileNamed(name: string): KnownProfile {
  const profile = profiles.find((one) => one.name === name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

export function imageAnswer(id: string): object | undefined {
  const { image, s390xImage, obsoleteImage } = account;
  if (![image, s390xImage, obsoleteImage].includes(id)) return undefined;
  const arch = id === s390xImage ? "s390x" : "amd64";
  return {
    id,
    crn: crnOf("image", id),
    href: href(`/images/${id}`),
    name: `podvm-${arch}`,
    created_at: "2026-10-01T00:00:00Z",
    catalog_offering: { managed: false },
    encryption: "none",
    file: { size: 2, checksums: { sha256: "00" } },
    minimum_provisioned_size: 10,
    operating_system: {
      name: `ubuntu-24-04-${arch}`,
      architecture: arch,
      allow_user_image_creation: true,
      dedicated_host_only: false,
      display_name: "Ubuntu",
      family: "Ubuntu",
      href: href("/operating_systems/ubuntu"),
      user_data_format: "cloud_init",
      vendor: "Canonical",
      version: "24.04",
    },
    resource_group: group,
    resource_type: "image",
    status: id === obsoleteImage ? "obsolete" : "available",
    status_reasons: [],
    user_data_format: "cloud_init",
    visibility: "private",
    allowed_use: { api_version: "2026-10-06", bare_metal_server: "true", instance: "true" },
    zones: [zoneAnswer(account.zone)],
  };
}

export function subnetAnswer(id: string): object | undefined {
  const { subnet, tunnelSubnet, fullSubnet, otherZoneSubnet } = account;
  if (![subnet, tunnelSubnet, fullSubnet, otherZoneSubnet].includes(id)) return undefined;
  return {
    ...subnetReference(id),
    available_ipv4_address_count: id === fullSubnet ? 0 : 200,
    total_ipv4_address_count: 256,
    created_at: "2026-10-01T00:00:00Z",
    ip_version: "ipv4",
    ipv4_cidr_block: "10.240.0.0/18",
    network_acl: { id, crn: crnOf("network-acl", id), href: href(`/network_acls/${id}`), name: "acl" },
    routing_table: {
      id,
      crn: crnOf("routing-table", id),
      href: href(`/vpcs/${account.vpc}/routing_tables/${id}`),
      name: "routes",
      resource_type: "routing_table",
    },
    resource_group: group,
    status: "available",
    vpc: vpcAnswer(account.vpc),
    zone: zoneAnswer(id === otherZoneSubnet ? "eu-test-2" : account.zone),
  };
}

export function securityGroupAnswer(id: string): object | undefined {
  const { securityGroup, clusterSecurityGroup, foreignSecurityGroup } = account;
  if (![securityGroup, clusterSecurityGroup, foreignSecurityGroup].includes(id)) return undefined;
  return {
    id,
    crn: crnOf("security-group", id),
    href: href(`/security_groups/${id}`),
    name: `group-${id.slice(-4)}`,
    created_at: "2026-10-01T00:00:00Z",
    resource_group: group,
    rules: [],
    targets: [],
    vpc: vpcAnswer(id === foreignSecurityGroup ? account.otherVpc : account.vpc),
  };
}

export function keyAnswer(id: string): object | undefined {
  if (id !== account.key) return undefined;
  return {
    id,
    crn: crnOf("key", id),
    href: href(`/keys/${id}`),
    name: "key",
    created_at: "2026-10-01T00:00:00Z",
    fingerprint: "SHA256:stand-in",
    length: 2048,
    public_key: "ssh-rsa AAAA",
    resource_group: group,
    type: "rsa",
  };
}

/** Only what tells where it is: the rest of a host is not read by anybody here. */
export function hostAnswer(id: string, kind: "hosts" | "groups"): object | undefined {
  const known =
    kind === "hosts" ? [account.dedicatedHost, account.otherZoneHost] : [account.dedicatedHostGroup];
  if (!known.includes(id)) return undefined;
  return { id, name: id, zone: zoneAnswer(id === account.otherZoneHost ? "eu-test-2" : account.zone) };
}
