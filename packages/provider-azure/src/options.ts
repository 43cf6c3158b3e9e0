import type { OptionSpec } from "@peerpods/cloud-providers";

const access: OptionSpec = [
  {
    flag: "clientid",
    env: "AZURE_CLIENT_ID",
    type: "string",
    secret: true,
    help: "Application (client) id",
  },
  {
    flag: "secret",
    env: "AZURE_CLIENT_SECRET",
    type: "string",
    secret: true,
    help: "Client secret; empty: workload identity, by the token file of the service account",
  },
  { flag: "tenantid", env: "AZURE_TENANT_ID", type: "string", secret: true, help: "Tenant (directory) id" },
  {
    flag: "azure-token-file",
    env: "AZURE_FEDERATED_TOKEN_FILE",
    type: "string",
    help: "File with the service account's token for workload identity; AKS sets the variable",
  },
  {
    flag: "azure-authority-host",
    env: "AZURE_AUTHORITY_HOST",
    type: "string",
    help: "URL of the sign-in; empty: the one of azure-cloud. AKS sets the variable",
  },
  {
    flag: "azure-cloud",
    env: "AZURE_CLOUD",
    type: "string",
    default: "public",
    oneOf: ["public", "china", "usgovernment"],
    help: "Which of Microsoft's clouds",
  },
  {
    flag: "azure-endpoint",
    env: "AZURE_RESOURCE_MANAGER_ENDPOINT",
    type: "string",
    help: "URL of the Resource Manager, for private links and emulators; empty: the one of azure-cloud",
  },
  {
    flag: "azure-http-proxy",
    env: "AZURE_HTTP_PROXY",
    type: "string",
    secret: true,
    help: "URL of the HTTP proxy for calls to Azure, e.g. http://proxy.example:3128; empty: none",
  },
  {
    flag: "azure-ca-bundle",
    env: "AZURE_CA_BUNDLE",
    type: "string",
    help: "PEM file of certificate authorities that are trusted beside the public ones",
  },
  {
    flag: "azure-api-burst",
    env: "AZURE_API_BURST",
    type: "int",
    default: 20,
    min: 1,
    max: 10_000,
    help: "How many calls to Azure may go out at once after a pause",
  },
  {
    flag: "azure-api-rate",
    env: "AZURE_API_RATE",
    type: "float",
    default: 10,
    min: 0.1,
    max: 1_000,
    help: "How many calls to Azure may go out each second; nodes of one subscription share its limits",
  },
];

const place: OptionSpec = [
  {
    flag: "subscriptionid",
    env: "AZURE_SUBSCRIPTION_ID",
    type: "string",
    required: true,
    help: "Subscription id",
  },
  { flag: "region", env: "AZURE_REGION", type: "string", required: true, help: "Region, e.g. westeurope" },
  {
    flag: "resourcegroup",
    env: "AZURE_RESOURCE_GROUP",
    type: "string",
    required: true,
    help: "Resource group of pod VMs, their disks, interfaces and addresses",
  },
  {
    flag: "zone",
    env: "AZURE_ZONE",
    type: "string",
    help: "Availability zone of pod VMs: 1, 2 or 3; empty: none",
  },
  {
    flag: "zones",
    env: "AZURE_ZONES",
    type: "list",
    help: "Availability zones to try in this order; wins over the single zone",
  },
  {
    flag: "subnetid",
    env: "AZURE_SUBNET_ID",
    type: "string",
    required: true,
    help: "Full resource id of the subnet of pod VMs",
  },
  {
    flag: "securitygroupid",
    env: "AZURE_NSG_ID",
    type: "string",
    help: "Full resource id of the network security group of their interfaces; empty: only the subnet's",
  },
  {
    flag: "use-public-ip",
    env: "USE_PUBLIC_IP",
    type: "bool",
    default: false,
    help: "Connect to pod VMs over a public address",
  },
];

const machine: OptionSpec = [
  {
    flag: "imageid",
    env: "AZURE_IMAGE_ID",
    type: "string",
    required: true,
    help: "Image of the pod VM: resource id of a gallery's image version or of a managed image, or /CommunityGalleries/<gallery>/Images/<image>/Versions/<version>",
  },
  {
    flag: "instance-size",
    env: "AZURE_INSTANCE_SIZE",
    type: "string",
    default: "Standard_DC2as_v5",
    help: "Size of pods that wish none",
  },
  {
    flag: "instance-sizes",
    env: "AZURE_INSTANCE_SIZES",
    type: "list",
    help: "Sizes that pods may get; empty: only the default",
  },
  {
    flag: "disable-cvm",
    env: "DISABLECVM",
    type: "bool",
    default: false,
    help: "Do not ask for a confidential VM (AMD SEV-SNP or Intel TDX, by size)",
  },
  {
    flag: "enable-secure-boot",
    env: "ENABLE_SECURE_BOOT",
    type: "bool",
    default: false,
    help: "Secure boot; without a confidential VM this asks for a trusted launch VM",
  },
  {
    flag: "use-spot",
    env: "USE_SPOT_INSTANCES",
    type: "bool",
    default: false,
    help: "Ask for spot machines for all pods; Azure may take them back",
  },
  {
    flag: "spot-max-price",
    env: "SPOT_MAX_PRICE",
    type: "string",
    help: "Highest price of a spot machine in USD per hour; empty: the regular price",
  },
  {
    flag: "root-volume-size",
    env: "ROOT_VOLUME_SIZE",
    type: "int",
    default: 0,
    min: 0,
    max: 4_095,
    help: "GiB of the root disk, at least the image's; 0: the image's",
  },
  {
    flag: "root-volume-type",
    env: "ROOT_VOLUME_TYPE",
    type: "string",
    default: "Premium_LRS",
    oneOf: ["Premium_LRS", "StandardSSD_LRS", "Standard_LRS", "Premium_ZRS", "StandardSSD_ZRS"],
    help: "Storage of the root disk",
  },
  {
    flag: "ssh-username",
    env: "SSH_USERNAME",
    type: "string",
    default: "peerpod",
    help: "Name of the administrator that Azure insists on",
  },
  {
    flag: "ssh-key-path",
    env: "AZURE_SSH_KEY_PATH",
    type: "string",
    help: "File with the administrator's public RSA key; empty: a key whose private part nobody has",
  },
];

/** Flags and environment of the Azure provider. */
export const azureOptions: OptionSpec = [
  ...access,
  ...place,
  ...machine,
  {
    flag: "tags",
    env: "TAGS",
    type: "map",
    help: "Tags of machines, disks, interfaces and addresses, beside our own",
  },
];
