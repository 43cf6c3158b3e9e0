import { ProviderError } from "@peerpods/cloud-providers";
import { tagForm } from "./tags.ts";

/** The options of the IBM Cloud provider by their meaning. Empty strings and lists: not given. */
export interface IbmcloudConfig {
  readonly credentials: CredentialsConfig;
  readonly connection: ConnectionConfig;
  readonly rate: { readonly capacity: number; readonly refillPerSecond: number };
  readonly images: readonly string[];
  readonly profile: string;
  readonly profiles: readonly string[];
  readonly confidential: boolean;
  readonly dedicatedHosts: readonly string[];
  readonly dedicatedHostGroups: readonly string[];
  readonly sshKey: string;
  readonly zone: string;
  readonly subnet: string;
  readonly vpc: string;
  readonly securityGroups: readonly string[];
  readonly tunnel: { readonly subnet: string; readonly securityGroup: string };
  readonly resourceGroup: string;
  readonly clusterId: string;
  readonly tags: readonly string[];
}

/** An API key, or a trusted profile with the file that holds the service account's token. */
export interface CredentialsConfig {
  readonly apiKey: string;
  readonly profileId: string;
  readonly tokenFile: string;
}

/** The way to IBM Cloud. */
export interface ConnectionConfig {
  /** Without the path of the token operation. */
  readonly iamUrl: string;
  readonly vpcUrl: string;
  readonly taggingUrl: string;
  readonly containersUrl: string;
  readonly httpProxy: string;
  readonly noProxy: string;
  readonly caBundle: string;
}

/**
 * Options as loaded against `ibmcloudOptions`, by their meaning.
 * @throws ProviderError `invalid_config` with one line for each thing that is wrong.
 */
export function ibmcloudConfig(values: Readonly<Record<string, unknown>>): IbmcloudConfig {
  const string = (flag: string) => values[flag] as string;
  const list = (flag: string) => values[flag] as readonly string[];
  const number = (flag: string) => values[flag] as number;
  const profiles = list("profile-list");
  const config: IbmcloudConfig = {
    credentials: {
      apiKey: string("api-key"),
      profileId: string("iam-profile-id"),
      tokenFile: string("cr-token-filename"),
    },
    connection: {
      iamUrl: string("iam-service-url").replace(/\/identity\/token\/?$/, ""),
      vpcUrl: string("vpc-service-url"),
      taggingUrl: string("tagging-service-url"),
      containersUrl: string("containers-service-url"),
      httpProxy: string("ibmcloud-http-proxy"),
      noProxy: string("ibmcloud-no-proxy"),
      caBundle: string("ibmcloud-ca-bundle"),
    },
    rate: { capacity: number("ibmcloud-api-burst"), refillPerSecond: number("ibmcloud-api-rate") },
    images: list("image-id"),
    profile: string("profile-name") || (profiles[0] ?? ""),
    profiles,
    confidential: !(values["disable-cvm"] as boolean),
    dedicatedHosts: list("dedicated-host-ids"),
    dedicatedHostGroups: list("dedicated-host-group-ids"),
    sshKey: string("key-id"),
    zone: string("zone-name"),
    subnet: string("primary-subnet-id"),
    vpc: string("vpc-id"),
    securityGroups: list("security-group-ids"),
    tunnel: { subnet: string("secondary-subnet-id"), securityGroup: string("secondary-security-group-id") },
    resourceGroup: string("resource-group-id"),
    clusterId: string("ibmcloud-cluster-id"),
    tags: list("tags"),
  };
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ProviderError("invalid_config", problems.join("\n"));
  return config;
}

/** Ids of the VPC API: a region's or zone's number, and a UUID. They become parts of paths, so this is strict. */
export const resourceIdForm = /^[0-9a-z]{4}[-_][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What an instance profile's name looks like; it is also how a wish of a pod is judged. */
export const profileForm = /^[a-z0-9]{2,16}(-[a-z0-9.]{1,24}){1,4}$/;

const zoneForm = /^[a-z]{2,10}-[a-z]{2,20}-\d$|^[a-z]{2,20}-\d$/;

function problemsOf(config: IbmcloudConfig): readonly string[] {
  const { credentials, connection, tunnel, tags } = config;
  const problems: string[] = [];
  const check = (good: boolean, problem: string) => {
    if (!good) problems.push(problem);
  };
  check(
    credentials.apiKey !== "" || credentials.profileId !== "",
    "api-key (IBMCLOUD_API_KEY) or iam-profile-id (IBMCLOUD_IAM_PROFILE_ID): one of them must be given",
  );
  check(
    tunnel.subnet === "" || tunnel.securityGroup !== "",
    "secondary-security-group-id: needed with secondary-subnet-id",
  );
  const forms: readonly (readonly [string, RegExp, readonly string[]])[] = [
    ["image-id", resourceIdForm, config.images],
    ["primary-subnet-id", resourceIdForm, [config.subnet]],
    ["vpc-id", resourceIdForm, [config.vpc]],
    ["security-group-ids", resourceIdForm, config.securityGroups],
    ["secondary-subnet-id", resourceIdForm, [tunnel.subnet]],
    ["secondary-security-group-id", resourceIdForm, [tunnel.securityGroup]],
    ["key-id", resourceIdForm, [config.sshKey]],
    ["dedicated-host-ids", resourceIdForm, config.dedicatedHosts],
    ["dedicated-host-group-ids", resourceIdForm, config.dedicatedHostGroups],
    ["resource-group-id", /^[0-9a-f]{32}$/, [config.resourceGroup]],
    ["zone-name", zoneForm, [config.zone]],
    ["profile-name", profileForm, [config.profile]],
    ["profile-list", profileForm, config.profiles],
    ["ibmcloud-cluster-id", /^[0-9a-zA-Z._-]{1,63}$/, [config.clusterId]],
    ["tags", tagForm, tags],
  ];
  for (const [option, form, given] of forms)
    for (const text of given)
      check(
        text === "" || form.test(text),
        `${option}: ${JSON.stringify(text.slice(0, 140))} is not of the form ${form.source}`,
      );
  for (const tag of tags)
    check(
      !/^peerpods-/i.test(tag),
      `tags (TAGS): ${JSON.stringify(tag)}: tags that begin with peerpods- are set by us`,
    );
  const urls: readonly (readonly [string, string])[] = [
    ["iam-service-url (IBMCLOUD_IAM_ENDPOINT)", connection.iamUrl],
    ["vpc-service-url (IBMCLOUD_VPC_ENDPOINT)", connection.vpcUrl],
    ["tagging-service-url (IBMCLOUD_TAGGING_ENDPOINT)", connection.taggingUrl],
    ["containers-service-url (IBMCLOUD_CONTAINERS_ENDPOINT)", connection.containersUrl],
    ["ibmcloud-http-proxy (IBMCLOUD_HTTP_PROXY)", connection.httpProxy],
  ];
  for (const [option, url] of urls) check(isUrl(url), `${option}: not an http or https URL`);
  return problems;
}

function isUrl(text: string): boolean {
  if (text === "") return true;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
