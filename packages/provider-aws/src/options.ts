import type { OptionSpec } from "@peerpods/cloud-providers";

const access: OptionSpec = [
  {
    flag: "aws-access-key-id",
    env: "AWS_ACCESS_KEY_ID",
    type: "string",
    secret: true,
    help: "Access key id; with the secret key it wins over every other source of credentials",
  },
  {
    flag: "aws-secret-key",
    env: "AWS_SECRET_ACCESS_KEY",
    type: "string",
    secret: true,
    help: "Secret key of the access key id",
  },
  {
    flag: "aws-session-token",
    env: "AWS_SESSION_TOKEN",
    type: "string",
    secret: true,
    help: "Session token of temporary keys",
  },
  {
    flag: "aws-profile",
    type: "string",
    help: "Profile of the shared configuration files; used when no keys are given",
  },
  { flag: "aws-region", env: "AWS_REGION", type: "string", help: "Region; empty: the worker node's" },
  {
    flag: "aws-endpoint",
    env: "AWS_ENDPOINT_URL_EC2",
    type: "string",
    help: "URL of the EC2 API, for sovereign clouds, VPC endpoints and emulators; empty: the region's",
  },
  {
    flag: "aws-quotas-endpoint",
    env: "AWS_ENDPOINT_URL_SERVICE_QUOTAS",
    type: "string",
    help: "URL of the Service Quotas API, which only the verifier asks; empty: the region's, or none where aws-endpoint is given",
  },
  {
    flag: "aws-http-proxy",
    env: "AWS_HTTP_PROXY",
    type: "string",
    secret: true,
    help: "URL of the HTTP proxy for calls to AWS, e.g. http://proxy.example:3128; empty: none",
  },
  {
    flag: "aws-no-proxy",
    env: "AWS_NO_PROXY",
    type: "string",
    help: "Hosts that are called without the proxy, separated by commas",
  },
  {
    flag: "aws-ca-bundle",
    env: "AWS_CA_BUNDLE",
    type: "string",
    help: "PEM file of certificate authorities that are trusted beside the public ones",
  },
  {
    flag: "aws-api-burst",
    env: "AWS_API_BURST",
    type: "int",
    default: 20,
    min: 1,
    max: 10_000,
    help: "How many calls to EC2 may go out at once after a pause",
  },
  {
    flag: "aws-api-rate",
    env: "AWS_API_RATE",
    type: "float",
    default: 10,
    min: 0.1,
    max: 1_000,
    help: "How many calls to EC2 may go out each second; nodes of one account share its limits",
  },
];

const machine: OptionSpec = [
  {
    flag: "imageid",
    env: "PODVM_AMI_ID",
    type: "string",
    help: "AMI of the pod VM; needed unless a launch template is used",
  },
  {
    flag: "instance-type",
    env: "PODVM_INSTANCE_TYPE",
    type: "string",
    default: "m6a.large",
    help: "Instance type of pods that wish none",
  },
  {
    flag: "instance-types",
    env: "PODVM_INSTANCE_TYPES",
    type: "list",
    help: "Instance types that pods may get; empty: only the default",
  },
  {
    flag: "aws-lt-name",
    env: "PODVM_LAUNCHTEMPLATE_NAME",
    type: "string",
    default: "kata",
    help: "Name of the launch template",
  },
  {
    flag: "use-lt",
    env: "USE_PODVM_LAUNCHTEMPLATE",
    type: "bool",
    default: false,
    help: "Take image, type, network and the rest from the launch template, except what a pod wishes",
  },
  {
    flag: "disable-cvm",
    env: "DISABLECVM",
    type: "bool",
    default: false,
    help: "Do not ask for a confidential VM (AMD SEV-SNP)",
  },
  {
    flag: "use-spot",
    env: "USE_SPOT_INSTANCES",
    type: "bool",
    default: false,
    help: "Ask for spot instances for all pods; AWS may take them back",
  },
  {
    flag: "spot-max-price",
    env: "SPOT_MAX_PRICE",
    type: "string",
    help: "Highest price of a spot instance in USD per hour; empty: the on-demand price",
  },
  {
    flag: "iam-instance-profile",
    env: "AWS_IAM_INSTANCE_PROFILE",
    type: "string",
    help: "Name of the instance profile of pod VMs; empty: none, so that a pod has no AWS credentials",
  },
  {
    flag: "imds-http-tokens",
    env: "AWS_IMDS_HTTP_TOKENS",
    type: "string",
    default: "required",
    oneOf: ["required", "optional"],
    help: "Whether the pod VM's metadata service insists on session tokens (IMDSv2)",
  },
  {
    flag: "imds-hop-limit",
    env: "AWS_IMDS_HOP_LIMIT",
    type: "int",
    default: 1,
    min: 1,
    max: 64,
    help: "Hops of a metadata answer; from 2 on the pod itself can read it, keys of its VM included",
  },
];

const network: OptionSpec = [
  {
    flag: "keyname",
    env: "SSH_KP_NAME",
    type: "string",
    help: "Key pair for SSH; empty: the worker node's, if it has one",
  },
  { flag: "subnetid", env: "AWS_SUBNET_ID", type: "string", help: "Subnet; empty: the worker node's" },
  {
    flag: "zone-subnets",
    env: "AWS_ZONE_SUBNETS",
    type: "map",
    help: "Zones to try in this order, with a subnet in each: eu-central-1a=subnet-1,eu-central-1b=subnet-2; wins over the single subnet",
  },
  {
    flag: "securitygroupids",
    env: "AWS_SG_IDS",
    type: "list",
    help: "Security groups; empty: the worker node's",
  },
  {
    flag: "use-public-ip",
    env: "USE_PUBLIC_IP",
    type: "bool",
    default: false,
    help: "Connect to pod VMs over a public address",
  },
];

const storage: OptionSpec = [
  {
    flag: "root-volume-size",
    env: "ROOT_VOLUME_SIZE",
    type: "int",
    default: 30,
    max: 2_147_483_647,
    help: "GiB of the root volume, at least the image's; 0 or less: the image's",
  },
  {
    flag: "root-volume-type",
    env: "ROOT_VOLUME_TYPE",
    type: "string",
    default: "",
    oneOf: ["", "gp2", "gp3", "io1", "io2", "standard"],
    help: "EBS type of the root volume; empty: the image's",
  },
  {
    flag: "root-volume-encrypted",
    env: "ROOT_VOLUME_ENCRYPTED",
    type: "bool",
    default: false,
    help: "Encrypt the root volume, also where neither image nor account do",
  },
  {
    flag: "root-volume-kms-key",
    env: "ROOT_VOLUME_KMS_KEY",
    type: "string",
    help: "KMS key of the encrypted root volume; empty: the account's default",
  },
];

/** Flags and environment of the AWS provider. */
export const awsOptions: OptionSpec = [
  ...access,
  ...machine,
  ...network,
  ...storage,
  {
    flag: "tags",
    env: "TAGS",
    type: "map",
    help: "Tags of instances, volumes, network interfaces and addresses, beside our own",
  },
];
