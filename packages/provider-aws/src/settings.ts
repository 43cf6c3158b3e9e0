import { ProviderError, isProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { AwsConfig } from "./config.ts";
import type { MetadataService } from "./imds.ts";

/** Where pod VMs go: what the options leave open is taken from the worker node. */
export interface Settings {
  readonly region: string;
  /** Subnet by zone, in the order in which they are tried. The only key is empty when no zones are configured. */
  readonly subnets: ReadonlyMap<string, string>;
  readonly securityGroups: readonly string[];
  /** Empty: none. */
  readonly keyName: string;
}

/**
 * Fills in what the options leave open. With everything given, or with a launch template and a region, the metadata
 * service is not asked.
 * @throws ProviderError `invalid_config` that lists what is neither configured nor known to the metadata service.
 */
export async function resolveSettings(
  config: AwsConfig,
  metadata: MetadataService,
  { signal, logger }: Pick<CallContext, "signal" | "logger">,
): Promise<Settings> {
  const zones = Object.entries(config.zoneSubnets);
  const template = config.launchTemplate !== "";
  const open = {
    region: config.region === "",
    subnet: config.subnet === "" && zones.length === 0 && !template,
    groups: config.securityGroups.length === 0 && !template,
    // A key is a convenience, so it is asked for only where the others come from there too.
    key: config.keyName === "" && config.subnet === "" && zones.length === 0 && !template,
  };
  const node = await nodeFacts(open, metadata, signal);
  if (node.failure !== undefined) logger.debug({ err: node.failure }, "instance metadata is not to be had");
  const region = config.region || node.region;
  const subnet = config.subnet || node.subnet;
  const securityGroups = config.securityGroups.length > 0 ? config.securityGroups : node.groups;
  const missing = [
    ...(region === "" ? ["aws-region (AWS_REGION)"] : []),
    ...(open.subnet && subnet === "" ? ["subnetid (AWS_SUBNET_ID)"] : []),
    ...(open.groups && securityGroups.length === 0 ? ["securitygroupids (AWS_SG_IDS)"] : []),
  ];
  if (missing.length > 0)
    throw new ProviderError(
      "invalid_config",
      `missing: ${missing.join(", ")}; neither configured nor told by this machine's instance metadata`,
      { cause: node.failure },
    );
  return {
    region,
    subnets: new Map(zones.length > 0 ? zones : [["", subnet]]),
    securityGroups,
    keyName: config.keyName || node.key,
  };
}

interface NodeFacts {
  readonly region: string;
  readonly subnet: string;
  readonly groups: readonly string[];
  readonly key: string;
  readonly failure?: unknown;
}

async function nodeFacts(
  open: Readonly<Record<"region" | "subnet" | "groups" | "key", boolean>>,
  metadata: MetadataService,
  signal: AbortSignal,
): Promise<NodeFacts> {
  const facts = { region: "", subnet: "", groups: [] as readonly string[], key: "" };
  const get = async (path: string) => (await metadata.get(path, signal)) ?? "";
  try {
    if (open.region) facts.region = await get("placement/region");
    if (open.subnet || open.groups) {
      const mac = await get("mac");
      if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac))
        throw new ProviderError("internal", "instance metadata holds no MAC address");
      const card = `network/interfaces/macs/${mac}`;
      if (open.subnet) facts.subnet = await get(`${card}/subnet-id`);
      if (open.groups) facts.groups = (await get(`${card}/security-group-ids`)).split(/\s+/).filter(Boolean);
    }
    // The list reads `0=<name>`.
    if (open.key) facts.key = /^0=(\S+)/.exec(await get("public-keys/"))?.[1] ?? "";
    return facts;
  } catch (error) {
    signal.throwIfAborted();
    if (!isProviderError(error)) throw error;
    return { ...facts, failure: error };
  }
}
