import { isProviderError, ProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import type { IbmcloudConfig } from "./config.ts";
import type { ClusterFacts } from "./kubernetes.ts";
import type { VpcSubnet } from "./model.ts";

/** Where pod VMs go: what the options leave open is taken from the subnet, the worker node and the cluster. */
export interface Settings {
  readonly zone: string;
  readonly subnet: string;
  readonly vpc: string;
  /** Empty: the account's default. */
  readonly resourceGroup: string;
  readonly securityGroups: readonly string[];
  /** Dedicated host, then group of hosts; empty where none is configured: anywhere. */
  readonly dedicated: readonly string[];
}

const SUBNET_LABELS = ["ibm-provider.kubernetes.io/subnet-id", "ibm-cloud.kubernetes.io/subnet-id"] as const;
const REGION_LABEL = "topology.kubernetes.io/region";
const ZONE_LABEL = "topology.kubernetes.io/zone";

/**
 * URL of the VPC API: configured, else that of the region of the configured zone, else that of the worker node's region.
 * @throws ProviderError `invalid_config` when none of them is known.
 */
export async function resolveVpcUrl(
  config: IbmcloudConfig,
  facts: ClusterFacts,
  signal: AbortSignal,
): Promise<string> {
  const { vpcUrl } = config.connection;
  if (vpcUrl !== "") return vpcUrl;
  const region =
    config.zone === "" ? (await facts.nodeLabels(signal))[REGION_LABEL] : config.zone.replace(/-\d$/, "");
  if (region !== undefined && /^[a-z0-9-]{2,40}$/.test(region))
    return `https://${region}.iaas.cloud.ibm.com/v1`;
  throw new ProviderError(
    "invalid_config",
    "vpc-service-url (IBMCLOUD_VPC_ENDPOINT) or zone-name (IBMCLOUD_ZONE): give one of them; the worker node has no region label either",
  );
}

/**
 * Fills in what the options leave open.
 * @throws ProviderError `invalid_config` that names what is missing or does not belong together.
 */
export async function resolveSettings(
  config: IbmcloudConfig,
  { ibmcloud, facts }: { readonly ibmcloud: Ibmcloud; readonly facts: ClusterFacts },
  call: CallContext,
): Promise<Settings> {
  const labels = config.subnet === "" || config.zone === "" ? await facts.nodeLabels(call.signal) : {};
  const labelled = SUBNET_LABELS.map((label) => labels[label]).find((id) => id !== undefined);
  const subnet = config.subnet || labelled;
  if (subnet === undefined)
    throw new ProviderError(
      "invalid_config",
      "primary-subnet-id (IBMCLOUD_VPC_SUBNET_ID): missing, and the worker node has no label with its subnet",
    );
  const open = config.zone === "" || config.vpc === "" || config.resourceGroup === "";
  const described = open ? await describeSubnet(ibmcloud, subnet, call) : undefined;
  const zone = config.zone || described?.zone.name || labels[ZONE_LABEL] || "";
  return {
    zone,
    subnet,
    vpc: config.vpc || described?.vpc.id || "",
    resourceGroup: config.resourceGroup || described?.resource_group?.id || "",
    securityGroups: await securityGroupsOf(config, { ibmcloud, facts }, call),
    dedicated: await dedicatedIn(config, { ibmcloud, zone }, call),
  };
}

async function describeSubnet(ibmcloud: Ibmcloud, id: string, call: CallContext): Promise<VpcSubnet> {
  return await named("primary-subnet-id (IBMCLOUD_VPC_SUBNET_ID)", ibmcloud.call("get_subnet", { id }, call));
}

async function securityGroupsOf(
  config: IbmcloudConfig,
  { ibmcloud, facts }: { readonly ibmcloud: Ibmcloud; readonly facts: ClusterFacts },
  call: CallContext,
): Promise<readonly string[]> {
  const cluster = config.clusterId || ((await facts.clusterId(call.signal)) ?? "");
  if (cluster === "") return config.securityGroups;
  const groups = await named(
    "ibmcloud-cluster-id (IBMCLOUD_CLUSTER_ID)",
    ibmcloud.call("get_security_groups", { query: { cluster, type: "cluster" } }, call),
  );
  const own = groups.find(({ name }) => name === `kube-${cluster}`);
  if (own === undefined)
    throw new ProviderError(
      "invalid_config",
      `ibmcloud-cluster-id (IBMCLOUD_CLUSTER_ID): cluster ${cluster} has no security group kube-${cluster}`,
    );
  return [...new Set([...config.securityGroups, own.id])];
}

/** The first host and the first group in the zone: a machine cannot be placed on one of another zone. */
async function dedicatedIn(
  config: IbmcloudConfig,
  { ibmcloud, zone }: { readonly ibmcloud: Ibmcloud; readonly zone: string },
  call: CallContext,
): Promise<readonly string[]> {
  const kinds = [
    ["get_dedicated_host", "dedicated-host-ids (IBMCLOUD_DEDICATED_HOST_IDS)", config.dedicatedHosts],
    [
      "get_dedicated_host_group",
      "dedicated-host-group-ids (IBMCLOUD_DEDICATED_HOST_GROUP_IDS)",
      config.dedicatedHostGroups,
    ],
  ] as const;
  const targets: string[] = [];
  for (const [operation, option, ids] of kinds) {
    if (ids.length === 0) continue;
    const described = await Promise.all(
      ids.map(async (id) => await named(option, ibmcloud.call(operation, { id }, call))),
    );
    const [first] = described.filter((one) => one.zone.name === zone);
    if (first === undefined)
      throw new ProviderError("invalid_config", `${option}: none of them is in zone ${zone}`);
    targets.push(first.id);
  }
  return targets;
}

/** A refusal that an option is to blame for, with the option's name. */
async function named<Result>(option: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (!isProviderError(error) || !["not_found", "invalid_request"].includes(error.code)) throw error;
    throw new ProviderError("invalid_config", `${option}: ${error.message}`, { cause: error });
  }
}
