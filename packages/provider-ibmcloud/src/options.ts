import type { OptionSpec } from "@peerpods/cloud-providers";

const access: OptionSpec = [
  {
    flag: "api-key",
    env: "IBMCLOUD_API_KEY",
    type: "string",
    secret: true,
    help: "IAM API key; it wins over a trusted profile",
  },
  {
    flag: "iam-profile-id",
    env: "IBMCLOUD_IAM_PROFILE_ID",
    type: "string",
    secret: true,
    help: "Id of a trusted profile, taken with the token of the service account",
  },
  {
    flag: "cr-token-filename",
    type: "string",
    default: "/var/run/secrets/tokens/vault-token",
    help: "File with the projected service account token (audience iam) for the trusted profile",
  },
  {
    flag: "iam-service-url",
    env: "IBMCLOUD_IAM_ENDPOINT",
    type: "string",
    default: "https://iam.cloud.ibm.com/identity/token",
    help: "URL of the IAM token service",
  },
  {
    flag: "vpc-service-url",
    env: "IBMCLOUD_VPC_ENDPOINT",
    type: "string",
    help: "URL of the VPC API, e.g. https://eu-de.iaas.cloud.ibm.com/v1; empty: that of the zone's or the worker node's region",
  },
  {
    flag: "tagging-service-url",
    env: "IBMCLOUD_TAGGING_ENDPOINT",
    type: "string",
    default: "https://tags.global-search-tagging.cloud.ibm.com",
    help: "URL of the global tagging API",
  },
  {
    flag: "containers-service-url",
    env: "IBMCLOUD_CONTAINERS_ENDPOINT",
    type: "string",
    default: "https://containers.cloud.ibm.com/global",
    help: "URL of the Kubernetes Service API, which knows the cluster's security group",
  },
  {
    flag: "ibmcloud-http-proxy",
    env: "IBMCLOUD_HTTP_PROXY",
    type: "string",
    secret: true,
    help: "URL of the HTTP proxy for calls to IBM Cloud, e.g. http://proxy.example:3128; empty: none",
  },
  {
    flag: "ibmcloud-no-proxy",
    env: "IBMCLOUD_NO_PROXY",
    type: "string",
    help: "Hosts that are called without the proxy, separated by commas",
  },
  {
    flag: "ibmcloud-ca-bundle",
    env: "IBMCLOUD_CA_BUNDLE",
    type: "string",
    help: "PEM file of certificate authorities that are trusted beside the public ones",
  },
  {
    flag: "ibmcloud-api-burst",
    env: "IBMCLOUD_API_BURST",
    type: "int",
    default: 20,
    min: 1,
    max: 10_000,
    help: "How many calls to IBM Cloud may go out at once after a pause",
  },
  {
    flag: "ibmcloud-api-rate",
    env: "IBMCLOUD_API_RATE",
    type: "float",
    default: 10,
    min: 0.1,
    max: 1_000,
    help: "How many calls to IBM Cloud may go out each second; nodes of one account share its limits",
  },
];

const machine: OptionSpec = [
  {
    flag: "image-id",
    env: "IBMCLOUD_PODVM_IMAGE_ID",
    type: "list",
    required: true,
    help: "Pod VM images, at most one per architecture; the first that fits the profile is used",
  },
  {
    flag: "profile-name",
    env: "IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME",
    type: "string",
    help: "Instance profile of pods that wish none; empty: the first of the list",
  },
  {
    flag: "profile-list",
    env: "IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST",
    type: "list",
    help: "Instance profiles that pods may get; empty: only the default",
  },
  {
    flag: "disable-cvm",
    env: "DISABLECVM",
    type: "bool",
    default: true,
    help: "Plain VMs; false: confidential ones (Intel TDX with secure boot, Secure Execution on s390x)",
  },
  {
    flag: "dedicated-host-ids",
    env: "IBMCLOUD_DEDICATED_HOST_IDS",
    type: "list",
    help: "Dedicated hosts, one per zone",
  },
  {
    flag: "dedicated-host-group-ids",
    env: "IBMCLOUD_DEDICATED_HOST_GROUP_IDS",
    type: "list",
    help: "Groups of dedicated hosts, one per zone; used when the host itself takes no more",
  },
  { flag: "key-id", env: "IBMCLOUD_SSH_KEY_ID", type: "string", help: "SSH key of pod VMs; empty: none" },
];

const network: OptionSpec = [
  {
    flag: "zone-name",
    env: "IBMCLOUD_ZONE",
    type: "string",
    help: "Zone; empty: the subnet's, or the worker node's",
  },
  {
    flag: "primary-subnet-id",
    env: "IBMCLOUD_VPC_SUBNET_ID",
    type: "string",
    help: "Subnet; empty: the worker node's, by its label",
  },
  {
    flag: "vpc-id",
    env: "IBMCLOUD_VPC_ID",
    type: "string",
    help: "VPC; empty: the subnet's",
  },
  {
    flag: "security-group-ids",
    env: "IBMCLOUD_SECURITY_GROUP_IDS",
    type: "list",
    help: "Security groups; the cluster's own is added where the cluster is one of the Kubernetes Service",
  },
  {
    flag: "secondary-subnet-id",
    type: "string",
    help: "Subnet of a second interface for the tunnel to the worker; empty: none",
  },
  {
    flag: "secondary-security-group-id",
    type: "string",
    help: "Security group of that interface",
  },
];

const belonging: OptionSpec = [
  {
    flag: "resource-group-id",
    env: "IBMCLOUD_RESOURCE_GROUP_ID",
    type: "string",
    help: "Resource group; empty: the subnet's",
  },
  {
    flag: "ibmcloud-cluster-id",
    env: "IBMCLOUD_CLUSTER_ID",
    type: "string",
    help: "Id of the cluster in the Kubernetes Service; empty: from kube-system/cluster-info, where that exists",
  },
  {
    flag: "tags",
    env: "TAGS",
    type: "list",
    help: "User tags of instances and volumes, beside our own",
  },
];

/** Flags and environment of the IBM Cloud provider. */
export const ibmcloudOptions: OptionSpec = [...access, ...machine, ...network, ...belonging];
