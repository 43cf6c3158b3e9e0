import { ProviderError } from "@peerpods/cloud-providers";
import { clouds, type CloudName } from "./clouds.ts";
import { imageForms } from "./image-reference.ts";
import { tagProblems } from "./tags.ts";

/** The options of the Azure provider by their meaning. Empty strings and lists: not given. */
export interface AzureConfig {
  readonly credentials: AzureCredentials;
  readonly connection: ConnectionConfig;
  readonly rate: { readonly capacity: number; readonly refillPerSecond: number };
  readonly subscription: string;
  /** Lower case, without spaces. */
  readonly region: string;
  readonly group: string;
  readonly zones: readonly string[];
  readonly subnet: string;
  readonly securityGroup: string;
  readonly publicAddress: boolean;
  readonly image: string;
  readonly size: string;
  readonly sizes: readonly string[];
  readonly confidential: boolean;
  readonly secureBoot: boolean;
  readonly spot: { readonly always: boolean; readonly maxPrice: string };
  readonly rootDisk: { readonly sizeGiB: number; readonly type: string };
  readonly ssh: { readonly user: string; readonly keyPath: string };
  readonly tags: Readonly<Record<string, string>>;
}

/** With a secret: that of the client; else its workload identity. */
export interface AzureCredentials {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenFile: string;
}

/** The way to Azure. */
export interface ConnectionConfig {
  /** URL of the Resource Manager, without a slash at the end. */
  readonly endpoint: string;
  /** What a token is asked for. */
  readonly scope: string;
  readonly authorityHost: string;
  /** Whether the sign-in is Microsoft's own, whose list of authorities the SDK may ask. */
  readonly knownAuthority: boolean;
  readonly httpProxy: string;
  /** Hosts that are called without the proxy, separated by commas. */
  readonly noProxy: string;
  readonly caBundle: string;
}

/**
 * Options as loaded against `azureOptions`, by their meaning.
 * @param env expands variables in the path of the key file.
 * @throws ProviderError `invalid_config` with one line for each thing that is wrong.
 */
export function azureConfig(
  values: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): AzureConfig {
  const string = (flag: string) => values[flag] as string;
  const flag = (flag: string) => values[flag] as boolean;
  const number = (flag: string) => values[flag] as number;
  const list = (flag: string) => values[flag] as readonly string[];
  const zones = list("zones");
  const config: AzureConfig = {
    credentials: {
      tenant: string("tenantid"),
      clientId: string("clientid"),
      clientSecret: string("secret"),
      tokenFile: string("azure-token-file"),
    },
    connection: connectionOf(string),
    rate: { capacity: number("azure-api-burst"), refillPerSecond: number("azure-api-rate") },
    subscription: string("subscriptionid").toLowerCase(),
    region: string("region").toLowerCase().replaceAll(" ", ""),
    group: string("resourcegroup"),
    zones: zones.length > 0 || string("zone") === "" ? zones : [string("zone")],
    subnet: string("subnetid"),
    securityGroup: string("securitygroupid"),
    publicAddress: flag("use-public-ip"),
    image: string("imageid"),
    size: string("instance-size"),
    sizes: list("instance-sizes"),
    confidential: !flag("disable-cvm"),
    secureBoot: flag("enable-secure-boot"),
    spot: { always: flag("use-spot"), maxPrice: string("spot-max-price") },
    rootDisk: { sizeGiB: number("root-volume-size"), type: string("root-volume-type") },
    ssh: { user: string("ssh-username"), keyPath: expand(string("ssh-key-path"), env) },
    tags: values["tags"] as Readonly<Record<string, string>>,
  };
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ProviderError("invalid_config", problems.join("\n"));
  return config;
}

function connectionOf(string: (flag: string) => string): ConnectionConfig {
  const cloud = clouds[string("azure-cloud") as CloudName];
  const authorityHost = string("azure-authority-host") || cloud.authorityHost;
  return {
    endpoint: (string("azure-endpoint") || cloud.endpoint).replace(/\/+$/, ""),
    scope: `${cloud.endpoint}/.default`,
    authorityHost,
    knownAuthority: Object.values(clouds).some((one) =>
      authorityHost.replace(/\/+$/, "").startsWith(one.authorityHost),
    ),
    httpProxy: string("azure-http-proxy"),
    noProxy: string("azure-no-proxy"),
    caBundle: string("azure-ca-bundle"),
  };
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const zoneForm = /^[1-9]$/;
/** What a size's name looks like; it is also how a wish of a pod is judged. */
export const sizeForm = /^[A-Za-z0-9_-]{1,64}$/;
const names = String.raw`[\w().-]{1,90}`;
const inNetwork = (rest: string) =>
  new RegExp(
    `^/subscriptions/[0-9a-f-]{36}/resourceGroups/${names}/providers/Microsoft\\.Network/${rest}$`,
    "i",
  );

function problemsOf(config: AzureConfig): readonly string[] {
  const problems: string[] = [];
  const { connection, credentials } = config;
  const forms: readonly (readonly [string, RegExp, readonly string[]])[] = [
    ["subscriptionid", guid, [config.subscription]],
    ["tenantid", /^[\w.-]{1,100}$/, [credentials.tenant]],
    ["region", /^[a-z0-9]{1,40}$/, [config.region]],
    ["resourcegroup", new RegExp(`^${names}$`), [config.group]],
    ["zones", zoneForm, config.zones],
    ["subnetid", inNetwork(`virtualNetworks/${names}/subnets/${names}`), [config.subnet]],
    ["securitygroupid", inNetwork(`networkSecurityGroups/${names}`), [config.securityGroup]],
    ["instance-sizes", sizeForm, [config.size, ...config.sizes]],
    ["spot-max-price", /^\d{1,6}(\.\d{1,5})?$/, [config.spot.maxPrice]],
    [
      "ssh-username",
      /^(?!(?:admin|administrator|root|user\d?|test\d?|guest)$)[a-z_][a-z0-9_-]{0,31}$/,
      [config.ssh.user],
    ],
  ];
  for (const [option, form, given] of forms)
    for (const text of given)
      if (text !== "" && !form.test(text))
        problems.push(`${option}: ${JSON.stringify(text.slice(0, 200))} is not of the form ${form.source}`);
  if (config.image !== "" && !imageForms.some((form) => form.test(config.image)))
    problems.push(
      `imageid (AZURE_IMAGE_ID): ${JSON.stringify(config.image.slice(0, 200))} is neither the resource id of an image nor a path of a community gallery`,
    );
  if (config.size === "") problems.push("instance-size (AZURE_INSTANCE_SIZE): must not be empty");
  if (!isUrl(connection.endpoint, /^https:$/)) problems.push("azure-endpoint: not an https URL");
  if (!isUrl(connection.authorityHost, /^https:$/)) problems.push("azure-authority-host: not an https URL");
  if (connection.httpProxy !== "" && !isUrl(connection.httpProxy, /^https?:$/))
    problems.push("azure-http-proxy (AZURE_HTTP_PROXY): not an http or https URL");
  return [...problems, ...tagProblems(config.tags)];
}

function isUrl(text: string, protocol: RegExp): boolean {
  return URL.canParse(text) && protocol.test(new URL(text).protocol);
}

function expand(path: string, env: Readonly<Record<string, string | undefined>>): string {
  return path
    .replace(/^~(?=\/)/, env["HOME"] ?? "~")
    .replaceAll(/\$\{?(\w+)\}?/g, (_all, name: string) => env[name] ?? "");
}
