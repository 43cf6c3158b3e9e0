import { ProviderError } from "@peerpods/cloud-providers";

/** The options of the AWS provider by their meaning. Empty strings and lists: not given. */
export interface AwsConfig {
  readonly credentials: AwsKeys;
  readonly profile: string;
  readonly region: string;
  readonly connection: ConnectionConfig;
  readonly rate: { readonly capacity: number; readonly refillPerSecond: number };
  readonly image: string;
  readonly instanceType: string;
  readonly instanceTypes: readonly string[];
  /** Name; empty: none is used. */
  readonly launchTemplate: string;
  readonly confidential: boolean;
  readonly spot: { readonly always: boolean; readonly maxPrice: string };
  readonly iamInstanceProfile: string;
  readonly metadata: { readonly httpTokens: "required" | "optional"; readonly hopLimit: number };
  readonly keyName: string;
  readonly subnet: string;
  readonly zoneSubnets: Readonly<Record<string, string>>;
  readonly securityGroups: readonly string[];
  readonly publicAddress: boolean;
  readonly rootVolume: RootVolumeConfig;
  readonly tags: Readonly<Record<string, string>>;
}

/** A key pair; used only when both parts are there. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The way to AWS. */
export interface ConnectionConfig {
  readonly endpoint: string;
  /** Of AWS Service Quotas. */
  readonly quotasEndpoint: string;
  readonly httpProxy: string;
  readonly noProxy: string;
  readonly caBundle: string;
}

export interface RootVolumeConfig {
  /** GiB; 0 or less: the image's. */
  readonly sizeGiB: number;
  readonly type: string;
  readonly encrypted: boolean;
  readonly kmsKey: string;
}

/**
 * Options as loaded against `awsOptions`, by their meaning.
 * @throws ProviderError `invalid_config` with one line for each thing that is wrong.
 */
export function awsConfig(values: Readonly<Record<string, unknown>>): AwsConfig {
  const string = (flag: string) => values[flag] as string;
  const flag = (flag: string) => values[flag] as boolean;
  const number = (flag: string) => values[flag] as number;
  const config: AwsConfig = {
    credentials: {
      accessKeyId: string("aws-access-key-id"),
      secretAccessKey: string("aws-secret-key"),
      sessionToken: string("aws-session-token"),
    },
    profile: string("aws-profile"),
    region: string("aws-region"),
    connection: {
      endpoint: string("aws-endpoint"),
      quotasEndpoint: string("aws-quotas-endpoint"),
      httpProxy: string("aws-http-proxy"),
      noProxy: string("aws-no-proxy"),
      caBundle: string("aws-ca-bundle"),
    },
    rate: { capacity: number("aws-api-burst"), refillPerSecond: number("aws-api-rate") },
    image: string("imageid"),
    instanceType: string("instance-type"),
    instanceTypes: values["instance-types"] as readonly string[],
    launchTemplate: flag("use-lt") ? string("aws-lt-name") : "",
    confidential: !flag("disable-cvm"),
    spot: { always: flag("use-spot"), maxPrice: string("spot-max-price") },
    iamInstanceProfile: string("iam-instance-profile"),
    metadata: {
      httpTokens: values["imds-http-tokens"] as "required" | "optional",
      hopLimit: number("imds-hop-limit"),
    },
    keyName: string("keyname"),
    subnet: string("subnetid"),
    zoneSubnets: values["zone-subnets"] as Readonly<Record<string, string>>,
    securityGroups: values["securitygroupids"] as readonly string[],
    publicAddress: flag("use-public-ip"),
    rootVolume: {
      sizeGiB: number("root-volume-size"),
      type: string("root-volume-type"),
      encrypted: flag("root-volume-encrypted"),
      kmsKey: string("root-volume-kms-key"),
    },
    tags: values["tags"] as Readonly<Record<string, string>>,
  };
  const problems = problemsOf(config, flag("use-lt"));
  if (problems.length > 0) throw new ProviderError("invalid_config", problems.join("\n"));
  return config;
}

function problemsOf(config: AwsConfig, useTemplate: boolean): readonly string[] {
  const problems: string[] = [];
  const check = (good: boolean, problem: string) => {
    if (!good) problems.push(problem);
  };
  const { connection, rootVolume } = config;
  if (useTemplate)
    check(config.launchTemplate !== "", "aws-lt-name (PODVM_LAUNCHTEMPLATE_NAME): needed with use-lt");
  else
    check(
      config.image !== "",
      "imageid (PODVM_AMI_ID): missing; give the AMI of the pod VM, or use a launch template",
    );
  check(config.instanceType !== "", "instance-type (PODVM_INSTANCE_TYPE): must not be empty");
  const ids: readonly (readonly [string, RegExp, readonly string[]])[] = [
    ["imageid", /^ami-[0-9a-f]{8,32}$/, [config.image]],
    ["subnetid", /^subnet-[0-9a-f]{8,32}$/, [config.subnet]],
    ["zone-subnets", /^subnet-[0-9a-f]{8,32}$/, Object.values(config.zoneSubnets)],
    ["securitygroupids", /^sg-[0-9a-f]{8,32}$/, config.securityGroups],
    ["aws-region", /^[a-z0-9-]{1,40}$/, [config.region]],
    ["instance-types", typeForm, [config.instanceType, ...config.instanceTypes]],
    ["spot-max-price", /^\d{1,6}(\.\d{1,8})?$/, [config.spot.maxPrice]],
  ];
  for (const [option, form, given] of ids)
    for (const id of given)
      check(id === "" || form.test(id), `${option}: ${JSON.stringify(id)} is not of the form ${form.source}`);
  check(isUrl(connection.endpoint), "aws-endpoint (AWS_ENDPOINT_URL_EC2): not an http or https URL");
  check(
    isUrl(connection.quotasEndpoint),
    "aws-quotas-endpoint (AWS_ENDPOINT_URL_SERVICE_QUOTAS): not an http or https URL",
  );
  check(isUrl(connection.httpProxy), "aws-http-proxy (AWS_HTTP_PROXY): not an http or https URL");
  check(rootVolume.kmsKey === "" || rootVolume.encrypted, "root-volume-kms-key: needs root-volume-encrypted");
  return [...problems, ...tagProblems(config.tags)];
}

/** What an instance type's name looks like; it is also how a wish of a pod is judged. */
export const typeForm = /^[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}$/;

/** Our own tags and `Name` take 8 of the 50 that EC2 allows. */
const MAX_CUSTOM_TAGS = 42;

function tagProblems(tags: Readonly<Record<string, string>>): readonly string[] {
  const entries = Object.entries(tags);
  const problems =
    entries.length > MAX_CUSTOM_TAGS
      ? [`tags (TAGS): ${entries.length} are too many; AWS leaves room for ${MAX_CUSTOM_TAGS}`]
      : [];
  for (const [key, value] of entries) {
    const shown = JSON.stringify(key.slice(0, 80));
    if (/^aws:/i.test(key)) problems.push(`tags (TAGS): ${shown}: keys that begin with aws: are Amazon's`);
    if (/^(peerpods-|Name$)/.test(key)) problems.push(`tags (TAGS): ${shown}: this key is set by us`);
    if (key.length > 128) problems.push(`tags (TAGS): ${shown}: the key is over 128 characters`);
    if (value.length > 256) problems.push(`tags (TAGS): ${shown}: the value is over 256 characters`);
  }
  return problems;
}

function isUrl(text: string): boolean {
  if (text === "") return true;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
